// Elements of the input projection's output, which a product of two parts leaves in two arrays. Device code only.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace kernels::device {

__device__ __forceinline__ float projected_value(const float* from, std::size_t at, std::size_t second_part) {
  return second_part == 0 ? from[at] : from[at] + from[at + second_part];
}

}  // namespace kernels::device
