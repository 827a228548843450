#pragma once

#include "kernels/cost.h"
#include "kernels/projection/projection.h"

namespace kernels {

// The matrix is read once for the whole batch. Gating counts exp, add, divide and two products.
inline Cost projection_cost(int batch, ProjectionMode mode, const Matrix& weight) {
  const std::uint64_t b = std::uint64_t(batch);
  const std::uint64_t rows = std::uint64_t(weight.rows);
  const std::uint64_t out = mode == ProjectionMode::gated ? rows / 2 : rows;
  Cost cost;
  cost.bytes_read = weight.bytes() + 4 * b * std::uint64_t(weight.cols);
  cost.bytes_written = 4 * b * out;
  cost.flops = 2 * b * rows * std::uint64_t(weight.cols);
  if (mode == ProjectionMode::accumulate) {
    cost.bytes_read += 4 * b * out;
    cost.flops += b * out;
  }
  if (mode == ProjectionMode::gated) cost.flops += 5 * b * out;
  return cost;
}

}  // namespace kernels
