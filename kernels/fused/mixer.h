// Everything between the input and the output projection of a Mamba-3 layer in one pass over the state: angles advance,
// keys and queries are normed, biased and rotated, the state is updated and read out, gated, and the ranks are mixed.
// Equations: kernels/rotate, kernels/state_update, kernels/readout, kernels/mimo_mix; this computes all four.
#pragma once

#include "kernels/fused/last_keys.h"
#include "kernels/intervention/intervention.h"

#include <cstddef>
#include <cstdint>

namespace kernels {

struct MixerArgs {
  int batch = 1;
  int heads = 0;    // H
  int headdim = 0;  // P
  int d_state = 0;  // N
  int rank = 1;     // R
  int groups = 1;   // G, divides H
  int angles = 0;   // S
  bool half_pairs = false;

  // Pieces of the input projection's output; sequence b's begin `stride` elements after sequence b - 1's. z and x may come
  // in two parts that are to be added (kernels/product): the second lies `second_part` elements after the first (0: one
  // part). `out_parts` belongs to it.
  int stride = 0;
  std::size_t second_part = 0;
  const float* z = nullptr;  // (B, H, P)
  const float* x = nullptr;  // (B, H, P)
  const float* b = nullptr;  // (B, R, G, N)
  const float* c = nullptr;  // (B, R, G, N)

  // From the projection's coefficient rows; see CoefficientRows.
  const float* dt = nullptr;      // (B, H)
  const float* a = nullptr;       // (B, H)
  const float* lambda = nullptr;  // (B, H)
  const float* rest = nullptr;    // (B, H)
  const float* turn = nullptr;    // (B, S)

  const float* b_norm = nullptr;  // (N)
  const float* c_norm = nullptr;  // (N)
  const float* b_bias = nullptr;  // (H, R, N)
  const float* c_bias = nullptr;  // (H, R, N)
  const float* d = nullptr;       // (H)
  const float* mimo_x = nullptr;  // (H, R, P); null for SISO, as the next two
  const float* mimo_z = nullptr;  // (H, R, P)
  const float* mimo_o = nullptr;  // (H, R, P)
  const float* norm = nullptr;    // (H, P); null without an output norm

  float* angle = nullptr;         // (B, H, S) in and out
  std::int32_t* turns = nullptr;  // (B, H, S) in and out
  float* k_prev = nullptr;        // (B, R, H, N) in and out; with last_keys in, until they are known
  float* x_prev = nullptr;        // (B, H, P) in and out
  void* h = nullptr;              // (B, H, P, N) in and out, fp32 or bf16
  bool bf16_state = false;

  float* alpha = nullptr;  // (B, H), as are the next four
  float* beta = nullptr;
  float* gamma = nullptr;
  float* state_norm = nullptr;
  float* state_change = nullptr;
  float* half_squares = nullptr;  // (B, H, 2) scratch: where a head is two blocks' work

  float* out = nullptr;       // (B, H, P)
  void* out_parts = nullptr;  // (2 B, H, P) bf16 in its place, see kernels/product/parts.h; may be null

  LastKeys last_keys;  // null: the last token's keys are kept in k_prev

  LayerChanges changes;  // all but those of dt, A and lambda, which the coefficient rows have

  const void* next = nullptr;  // what the next kernel reads, to be brought into L2 meanwhile; may be null
  std::size_t next_bytes = 0;
};

}  // namespace kernels
