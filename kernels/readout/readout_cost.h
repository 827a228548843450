#pragma once

#include "kernels/cost.h"

namespace kernels {

// 2 R flops a state value; per output 2 for D, 6 for the gate, 4 for an output norm; the caches are copies.
inline Cost readout_cost(int batch, int heads, int headdim, int d_state, int rank, bool mimo, bool output_norm) {
  const std::uint64_t b = std::uint64_t(batch);
  const std::uint64_t h = std::uint64_t(heads);
  const std::uint64_t r = std::uint64_t(rank);
  const std::uint64_t hp = h * std::uint64_t(headdim);
  const std::uint64_t hn = h * std::uint64_t(d_state);
  const std::uint64_t state = hp * std::uint64_t(d_state);
  const std::uint64_t small = h + (mimo ? 2 * r * hp : 0) + (output_norm ? hp : 0);
  Cost cost;
  cost.bytes_read = 4 * (b * (state + 2 * r * hn + 4 * hp) + small);
  cost.bytes_written = 4 * b * (r * hp + r * hn + hp + 2 * h);
  cost.flops = b * (2 * r * state + r * hp * (output_norm ? 12 : 8) + 2 * hp);
  return cost;
}

}  // namespace kernels
