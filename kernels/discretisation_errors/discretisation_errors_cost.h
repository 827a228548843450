#pragma once

#include "kernels/cost.h"
#include "kernels/discretisation_errors/discretisation_errors.h"

namespace kernels {

// Keys and values of both tokens are read, this one's are kept. Flops: the Gram matrices of the values (2 P a product), each
// pair's products (6, 6 and 8 a pair of ranks, the symmetric ones once), and about 250 a pair for the exact weights and norms.
inline Cost discretisation_errors_cost(int layers, int batch, int heads, int headdim, int d_state, int rank, int angles,
                                       bool mimo) {
  const std::uint64_t r = std::uint64_t(rank), p = std::uint64_t(headdim), n = std::uint64_t(d_state);
  const std::uint64_t all_heads = std::uint64_t(layers) * std::uint64_t(heads), b = std::uint64_t(batch);
  const std::uint64_t symmetric = r * (r + 1) / 2, input = r * n + p;
  Cost cost;
  cost.bytes_read = 4 * (b * (all_heads * (2 * input + 3) + std::uint64_t(layers) * std::uint64_t(angles)) +
                         (mimo ? all_heads * r * p : 0));
  cost.bytes_written = 4 * b * all_heads * (input + errors_per_head);
  cost.flops = b * all_heads * ((2 * symmetric + r * r) * 2 * p + n / 2 * (12 * symmetric + 8 * r * r + 250));
  return cost;
}

}  // namespace kernels
