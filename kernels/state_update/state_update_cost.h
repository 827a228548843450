#pragma once

#include "kernels/cost.h"

namespace kernels {

// Per state value: decay 1, 2 R products and sums, 5 for the two sums of squares. Values are weighed once a row.
inline Cost state_update_cost(int batch, int heads, int headdim, int d_state, int rank, bool mimo) {
  const std::uint64_t b = std::uint64_t(batch);
  const std::uint64_t r = std::uint64_t(rank);
  const std::uint64_t hp = std::uint64_t(heads) * std::uint64_t(headdim);
  const std::uint64_t hn = std::uint64_t(heads) * std::uint64_t(d_state);
  const std::uint64_t state = hp * std::uint64_t(d_state);
  const std::uint64_t values_weights = mimo ? r * hp : 0;
  Cost cost;
  cost.bytes_read = 4 * (b * (state + 3 * std::uint64_t(heads) + 2 * hp + 2 * r * hn) + values_weights);
  cost.bytes_written = 4 * b * (state + 2 * hp);
  cost.flops = b * (state * (6 + 4 * r) + 4 * r * hp);
  return cost;
}

}  // namespace kernels
