// The recurrence (Mamba-3 paper, exponential-trapezoidal rule), per head, h being (P, N):
//   h = alpha h + beta sum_r v_prev[r] (x) k_prev[r] + gamma sum_r v[r] (x) k[r]
//   v[r,p] = mimo_x[h,r,p] x[h,p],  v_prev[r,p] = mimo_x[h,r,p] x_prev[h,p]   (SISO: v = x)
// For the first token x_prev and k_prev are zero. The caches are read here and replaced by the readout. The sums of
// squares of each row, of the new h and of its change, are left for the readout, so that a state's norm costs no pass
// of its own. T is the type of activations: float on the device and in the CPU backend, double in the reference.
#pragma once

#include "kernels/intervention/intervention.h"

namespace kernels {

template <class T>
struct StateUpdateArgs {
  int batch = 1;
  int heads = 0;    // H
  int headdim = 0;  // P
  int d_state = 0;  // N
  int rank = 1;     // R

  const T* alpha = nullptr;  // (B, H)
  const T* beta = nullptr;   // (B, H)
  const T* gamma = nullptr;  // (B, H)

  int stride = 0;                 // between sequences of x, a piece of the input projection's output
  const T* x = nullptr;           // (B, H, P)
  const T* x_prev = nullptr;      // (B, H, P), dense
  const T* k = nullptr;           // (B, R, H, N)
  const T* k_prev = nullptr;      // (B, R, H, N)
  const float* mimo_x = nullptr;  // (H, R, P); null for SISO

  T* h = nullptr;            // (B, H, P, N) in and out
  T* row_norm2 = nullptr;    // (B, H, P): sum over n of h^2
  T* row_change2 = nullptr;  // (B, H, P): sum over n of (h - h before)^2

  LayerChanges changes;  // of what ranks write
};

}  // namespace kernels
