// Keys and queries of a token (Mamba-3 paper: data-dependent rotary embedding; official repository, modules/mamba3.py):
//   theta  = theta + turn dt             the token's own increment included; wrapped into [0, 2 pi), whole turns counted
//   Bn, Cn = RMSNorm over N of each (rank, group) of B and C, with b_norm and c_norm
//   kb, qb = Bn, Cn of the head's group g = h / (H / G) + bias of (head, rank)
//   k, q   = kb, qb rotated: a' = a cos - b sin, b' = a sin + b cos for each pair (a, b); the bias is inside
// Pairs: (2i, 2i + 1), or with half_pairs (MIMO) (i, i + N/2), i < S; all other channels stay as they are.
// T is the type of activations: float on the device and in the CPU backend, double in the reference.
#pragma once

#include "kernels/intervention/intervention.h"

#include <cstdint>

namespace kernels {

template <class T>
struct RotateArgs {
  int batch = 1;
  int heads = 0;    // H
  int rank = 1;     // R
  int groups = 1;   // G, divides H
  int d_state = 0;  // N
  int angles = 0;   // S <= N/2
  bool half_pairs = false;

  // Pieces of the input projection's output; sequence b's piece begins `stride` elements after sequence b - 1's.
  int stride = 0;
  const T* b = nullptr;  // (B, R, G, N)
  const T* c = nullptr;  // (B, R, G, N)

  const float* b_norm = nullptr;  // (N)
  const float* c_norm = nullptr;  // (N)
  const float* b_bias = nullptr;  // (H, R, N)
  const float* c_bias = nullptr;  // (H, R, N)
  const T* dt = nullptr;          // (B, H)
  const T* turn = nullptr;        // (B, S)

  T* angle = nullptr;             // (B, H, S) in and out, radians in [0, 2 pi)
  std::int32_t* turns = nullptr;  // (B, H, S) in and out; angle + 2 pi turns is the accumulated phase
  T* k = nullptr;                 // (B, R, H, N)
  T* q = nullptr;                 // (B, R, H, N)

  LayerChanges changes;  // of pairs and the ranks' biases
};

}  // namespace kernels
