// The last token's keys, which the trapezoid needs, made again in place of kept. Every head has its own: a cache of them is
// 8 R N bytes a head and step to read and write, where what they come from, one vector for all heads of a sequence, and the
// phase, which is there anyway, are next to nothing. For large batches, where the mixer has time to compute.
//
// What they come from lies beside the cache of keys: `LastKeys`, kept by kernels::device::coefficient_parts. The cache
// itself is then behind, until `device::last_keys` brings it up to the state's token; whoever changes the state sets `known`
// to zeros, and the next step reads the cache.
#pragma once

#include "kernels/device/stream.h"

#include <cstdint>

namespace kernels {

// Of one layer.
struct LastKeys {
  float* now = nullptr;           // (B, R, G, N) of the input projection's output: the keys' vectors of this token
  float* last = nullptr;          // the same of the token before
  std::int32_t* known = nullptr;  // (2): whether `now` and `last` hold a token that was stepped
};

// Writes the cache of keys of the token that `now` is of; nothing where that is not known.
struct LastKeysArgs {
  int batch = 1;
  int heads = 0;    // H
  int d_state = 0;  // N, at most 256
  int rank = 1;     // R
  int groups = 1;   // G
  int angles = 0;   // S
  bool half_pairs = false;
  LastKeys from;
  const float* b_norm = nullptr;  // (N)
  const float* b_bias = nullptr;  // (H, R, N)
  const float* angle = nullptr;   // (B, H, S)
  float* k_prev = nullptr;        // (B, R, H, N) out
};

namespace device {

// Returns a CUDA error code.
int last_keys(const LastKeysArgs& args, StreamHandle stream);

}  // namespace device

}  // namespace kernels
