#pragma once

#include "kernels/cost.h"

namespace kernels {

inline Cost mimo_mix_cost(int batch, int heads, int headdim, int rank) {
  const std::uint64_t b = std::uint64_t(batch);
  const std::uint64_t hp = std::uint64_t(heads) * std::uint64_t(headdim);
  const std::uint64_t ranked = std::uint64_t(rank) * hp;
  return {4 * (b * ranked + ranked), 4 * b * hp, 2 * b * ranked};
}

}  // namespace kernels
