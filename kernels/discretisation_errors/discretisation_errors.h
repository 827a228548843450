// How far the rules of a step are from the exact solution under the linear interpolant of the model's own input, per head
// (Mamba-3 paper, exponential-trapezoidal rule; the exact input term is that of an exponential integrator). With x = mu dt,
// u' and u the sums over ranks of v (x) k of the token before and of this one:
//   exact input term  E = dt [(phi1(x) - phi2(x)) u' + phi2(x) u],  phi1 = (e^x - 1) / x,  phi2 = (e^x - 1 - x) / x^2
//   a rule's          dt [(1 - lambda) e^x u' + lambda u]           lambda: 1 Euler, 1/2 trapezoid, or the learned one
//   error             |rule's - E| / |E|, Frobenius norms over the head; NaN where E is zero
// in two frames: stored (mu = A), and un-rotated (mu = A - i pi tanh(angle) for each turning pair of channels, keys turned
// back). Rule and truth differ only in the weights of u' and u, and norms of sums of outer products are sums over ranks of
// products of v times products of k: O(R^2 (P + N)) a head, no pass over the state.
//
// The stage follows the layers, for all of them at once, when the caches hold the token's k and x. It keeps the ones before
// by itself: afterwards they are this token's. All arithmetic is in double: an error's norm is a difference.
//
// Of a step that was changed, it is the changed step that is looked at: dt, A and lambda as they are stored, the pairs'
// advances and what the ranks write (v of both tokens) by the tables that the step had.
// T is the type of activations: float on the device and in the CPU backend, double in the reference.
#pragma once

#include "kernels/intervention/intervention.h"

#include <cstddef>

namespace kernels {

// Of a head: stored frame Euler, trapezoid, learned rule, then the same in the un-rotated frame.
inline constexpr int errors_per_head = 6;

template <class T>
struct DiscretisationErrorsArgs {
  int layers = 1;  // L; the host's kernels take one layer a call
  int batch = 1;
  int heads = 0;    // H
  int headdim = 0;  // P
  int d_state = 0;  // N
  int rank = 1;     // R
  int angles = 0;   // S <= N / 2
  bool half_pairs = false;

  std::size_t coefficient_stride = 0;  // from a layer's dt, a and lambda to the next layer's, in elements
  const T* dt = nullptr;               // (B, H)
  const T* a = nullptr;                // (B, H)
  const T* lambda = nullptr;           // (B, H)
  const T* turn = nullptr;             // (L, B, S)
  const float* mimo_x = nullptr;       // (L, H, R, P); null for SISO

  const T* k = nullptr;   // (L, B, R, H, N), rotated, of this token
  const T* x = nullptr;   // (L, B, H, P)
  T* k_before = nullptr;  // as k, of the token before, zeros before the first: in; out <- k
  T* x_before = nullptr;  // as x: in; out <- x

  T* errors = nullptr;  // (L, B, H, errors_per_head)

  LayerChanges changes;  // of advances and of what ranks write, (L, B, ...)
};

}  // namespace kernels
