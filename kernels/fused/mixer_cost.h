#pragma once

#include "kernels/cost.h"

namespace kernels {

// What the four stages that it takes the place of compute, and the bytes that are left: the state and the caches once in
// and out, the projection's output, the head's weights, the result and the coefficients. `keys_again`: see last_keys.h.
inline Cost mixer_cost(int batch, int heads, int headdim, int d_state, int rank, int groups, int angles, bool mimo,
                       bool output_norm, int state_value_bytes, bool keys_again = false) {
  const std::uint64_t b = std::uint64_t(batch);
  const std::uint64_t h = std::uint64_t(heads);
  const std::uint64_t r = std::uint64_t(rank);
  const std::uint64_t hp = h * std::uint64_t(headdim);
  const std::uint64_t hn = h * std::uint64_t(d_state);
  const std::uint64_t hs = h * std::uint64_t(angles);
  const std::uint64_t raw = r * std::uint64_t(groups) * std::uint64_t(d_state);  // of B, and of C
  const std::uint64_t state = hp * std::uint64_t(d_state);
  const std::uint64_t weights =
      2 * std::uint64_t(d_state) + 2 * r * hn + h + (mimo ? 3 * r * hp : 0) + (output_norm ? hp : 0);
  const std::uint64_t in = 2 * hp + (keys_again ? 3 : 2) * raw + 4 * h + std::uint64_t(angles);
  const std::uint64_t caches = (keys_again ? 0 : r * hn) + hp + 2 * hs;
  const std::uint64_t out = hp + 5 * h;
  Cost cost;
  cost.bytes_read = b * (std::uint64_t(state_value_bytes) * state + 4 * (in + caches)) + 4 * weights;
  cost.bytes_written = b * (std::uint64_t(state_value_bytes) * state + 4 * (caches + out));
  // Per state value: decay, 2 R products and sums, R products for the output, 5 for the sums of squares. Keys: norm 4 a
  // value, bias and rotation 8 a key; angles 6. Outputs: D 2, gate 6, norm 4, mixing 2 a rank.
  const std::uint64_t keys = keys_again ? 3 : 2;  // and queries
  cost.flops = b * (state * (6 + 6 * r) + 4 * keys * raw + 4 * keys * r * hn + 6 * hs +
                    r * hp * (8 + (output_norm ? 4 : 0) + (mimo ? 2 : 0)) + 9 * h);
  return cost;
}

}  // namespace kernels
