// Which channels turn together. Device code only.
#pragma once

#include <cuda_runtime.h>

namespace kernels::device {

// Channel pair i of `pairs`, as (first, second).
__device__ __forceinline__ int2 pair_channels(int i, int pairs, bool half_pairs) {
  return half_pairs ? make_int2(i, i + pairs) : make_int2(2 * i, 2 * i + 1);
}

}  // namespace kernels::device
