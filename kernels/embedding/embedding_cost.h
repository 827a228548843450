#pragma once

#include "kernels/cost.h"
#include "kernels/matrix.h"

namespace kernels {

// Only the rows that are looked up are read; widening counts no flops.
inline Cost embedding_cost(int batch, const Matrix& table) {
  const std::uint64_t values = std::uint64_t(batch) * std::uint64_t(table.cols);
  return {values * size_of(table.dtype) + 4 * std::uint64_t(batch), 4 * values, 0};
}

}  // namespace kernels
