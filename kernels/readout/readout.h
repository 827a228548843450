// What a token reads from the updated state, per head and rank (official repository, modules/mamba3.py):
//   v[r,p] = mimo_x[h,r,p] x[h,p]                                   (SISO: x)
//   y[r,p] = sum_n h[p,n] q[r,n] + D v[r,p]
//   y[r,p] = y[r,p] / sqrt(mean_p y[r,p]^2 + 1e-5) * norm[h,p]      (only with an output norm: before the gate, per
//   head) out    = y[r,p] silu(mimo_z[h,r,p] z[h,p])                      (SISO: silu(z))
// Afterwards the caches take this token's key and value, and the rows' sums of squares become one norm per head.
// For MIMO the ranks are summed by the next stage, mimo_mix.
// T is the type of activations: float on the device and in the CPU backend, double in the reference.
#pragma once

#include "kernels/intervention/intervention.h"

namespace kernels {

template <class T>
struct ReadoutArgs {
  int batch = 1;
  int heads = 0;    // H
  int headdim = 0;  // P
  int d_state = 0;  // N
  int rank = 1;     // R

  const T* h = nullptr;  // (B, H, P, N)
  const T* q = nullptr;  // (B, R, H, N)
  const T* k = nullptr;  // (B, R, H, N)

  int stride = 0;        // between sequences of x and z, pieces of the input projection's output
  const T* x = nullptr;  // (B, H, P)
  const T* z = nullptr;  // (B, H, P)

  const float* d = nullptr;       // (H)
  const float* mimo_x = nullptr;  // (H, R, P); null for SISO
  const float* mimo_z = nullptr;  // (H, R, P); null for SISO
  const float* norm = nullptr;    // (H, P), shared by the ranks; null without an output norm

  const T* row_norm2 = nullptr;    // (B, H, P) from the state update
  const T* row_change2 = nullptr;  // (B, H, P)

  T* out = nullptr;           // (B, R, H, P)
  T* k_prev = nullptr;        // (B, R, H, N) <- k
  T* x_prev = nullptr;        // (B, H, P) <- x
  T* state_norm = nullptr;    // (B, H): sqrt of the sum over p of row_norm2
  T* state_change = nullptr;  // (B, H): sqrt of the sum over p of row_change2

  LayerChanges changes;  // of D, what ranks read and, for SISO, the head's output
};

}  // namespace kernels
