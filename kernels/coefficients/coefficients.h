// From the projected scalars of a token to the coefficients of its step, per head (Mamba-3 paper,
// exponential-trapezoidal rule; official repository, modules/mamba3.py):
//   dt     = softplus(dd_dt + dt_bias)                     (identity above 20)
//   A      = min(-f(dd_A), -A_floor)                       f(u) = 1 + u for u >= 0, 1 / (1 - u) below; or softplus
//   lambda = sigmoid(trap), or a fixed one
//   alpha  = exp(A dt),  beta = (1 - lambda) dt alpha,  gamma = lambda dt
//   turn   = pi tanh(angle)                                per rotary angle, radians per unit of dt, shared by all
//   heads
// T is the type of activations: float on the device and in the CPU backend, double in the reference.
#pragma once

#include "kernels/intervention/intervention.h"

namespace kernels {

template <class T>
struct CoefficientsArgs {
  int batch = 1;
  int heads = 0;   // H
  int angles = 0;  // S
  bool softplus_a = false;
  double a_floor = 1e-4;
  double lambda_override = -1;  // in [0, 1]: takes the place of sigmoid(trap); negative: none

  // Pieces of the input projection's output; sequence b's piece begins `stride` elements after sequence b - 1's.
  int stride = 0;
  const T* dd_dt = nullptr;  // (B, H)
  const T* dd_a = nullptr;   // (B, H)
  const T* trap = nullptr;   // (B, H)
  const T* angle = nullptr;  // (B, S)

  const float* dt_bias = nullptr;  // (H)

  T* dt = nullptr;      // (B, H)
  T* a = nullptr;       // (B, H)
  T* lambda = nullptr;  // (B, H)
  T* alpha = nullptr;   // (B, H)
  T* beta = nullptr;    // (B, H)
  T* gamma = nullptr;   // (B, H)
  T* turn = nullptr;    // (B, S)

  LayerChanges changes;  // of dt, A and lambda
};

}  // namespace kernels
