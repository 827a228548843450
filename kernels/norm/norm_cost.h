#pragma once

#include "kernels/cost.h"

namespace kernels {

// Square, add, scale, weigh: 4 flops a value.
inline Cost norm_cost(int batch, int width) {
  const std::uint64_t values = std::uint64_t(batch) * std::uint64_t(width);
  return {4 * (values + std::uint64_t(width)), 4 * values, 4 * values};
}

}  // namespace kernels
