#pragma once

#include "kernels/cost.h"

namespace kernels {

// Norms 4 flops a value, biases 1, rotations 6 a pair for k and for q, angles 6 each with sine and cosine.
inline Cost rotate_cost(int batch, int heads, int rank, int groups, int d_state, int angles) {
  const std::uint64_t b = std::uint64_t(batch);
  const std::uint64_t raw = std::uint64_t(rank) * std::uint64_t(groups) * std::uint64_t(d_state);  // of B, and of C
  const std::uint64_t keys = std::uint64_t(rank) * std::uint64_t(heads) * std::uint64_t(d_state);  // of k, and of q
  const std::uint64_t hs = std::uint64_t(heads) * std::uint64_t(angles);
  Cost cost;
  cost.bytes_read = 4 * (b * (2 * raw + std::uint64_t(heads) + std::uint64_t(angles) + 2 * hs) +
                         2 * std::uint64_t(d_state) + 2 * keys);
  cost.bytes_written = 4 * b * (2 * hs + 2 * keys);
  cost.flops = b * (8 * raw + 2 * keys + 12 * hs * std::uint64_t(rank) + 6 * hs);
  return cost;
}

}  // namespace kernels
