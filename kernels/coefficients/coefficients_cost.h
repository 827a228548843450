#pragma once

#include "kernels/cost.h"

namespace kernels {

// Each transcendental counts as one flop: 18 a head, 2 an angle.
inline Cost coefficients_cost(int batch, int heads, int angles) {
  const std::uint64_t b = std::uint64_t(batch);
  const std::uint64_t h = std::uint64_t(heads);
  const std::uint64_t s = std::uint64_t(angles);
  return {4 * (b * (3 * h + s) + h), 4 * b * (6 * h + s), b * (18 * h + 2 * s)};
}

}  // namespace kernels
