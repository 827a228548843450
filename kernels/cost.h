// What a stage must move and compute, counted from shapes: the ground of every bandwidth and roofline figure.
#pragma once

#include <cstdint>

namespace kernels {

struct Cost {
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t flops = 0;

  std::uint64_t bytes() const { return bytes_read + bytes_written; }
};

}  // namespace kernels
