// Sums over a warp and over a block in an order that is fixed by the lane and warp numbers alone: the same inputs give
// the same bits whatever else runs. Device code only.
#pragma once

#include <cuda_runtime.h>

namespace kernels {

inline constexpr int warp_size = 32;
inline constexpr unsigned full_warp = 0xffffffffU;

// Every lane of a group of `width` lanes (a power of two, at most 32) receives the group's sum.
template <int width = warp_size>
__device__ __forceinline__ float sum_lanes(float value) {
#pragma unroll
  for (int offset = width / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(full_warp, value, offset);
  return value;
}

// Every thread receives the block's sum. `scratch` has one float per warp; the block's size is a multiple of 32 and all
// its threads take part. Ends with a barrier, so that scratch may be used again.
__device__ __forceinline__ float sum_block(float value, float* scratch) {
  value = sum_lanes(value);
  const unsigned warps = blockDim.x / warp_size;
  if (threadIdx.x % warp_size == 0) scratch[threadIdx.x / warp_size] = value;
  __syncthreads();
  float sum = 0.0F;
  for (unsigned w = 0; w < warps; ++w) sum += scratch[w];
  __syncthreads();
  return sum;
}

}  // namespace kernels
