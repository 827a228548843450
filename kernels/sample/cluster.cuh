// A row of logits is looked at by all blocks of a cluster, or by one block where there are no clusters: what both need to
// agree on something. `blocks` is the cluster's size, 1 for none. Every thread of every block takes part in each call.
// Device code only.
#pragma once

#include "kernels/device/reduce.cuh"

#include <cuda_runtime.h>

#include <cooperative_groups.h>

#include <cstdint>

namespace kernels::device {

// What any block wrote to its shared memory before can be read by all of them behind it.
template <int blocks>
__device__ __forceinline__ void meet() {
#if __CUDA_ARCH__ >= 900
  if constexpr (blocks > 1) {
    cooperative_groups::this_cluster().sync();
    return;
  }
#endif
  __syncthreads();
}

// The same variable in another block's shared memory.
template <int blocks, class T>
__device__ __forceinline__ const T* seen_from(const T* shared, int block) {
#if __CUDA_ARCH__ >= 900
  if constexpr (blocks > 1) {
    return cooperative_groups::this_cluster().map_shared_rank(const_cast<T*>(shared), static_cast<unsigned>(block));
  }
#endif
  return shared;
}

__device__ __forceinline__ std::uint64_t max_lanes(std::uint64_t value) {
#pragma unroll
  for (int offset = warp_size / 2; offset > 0; offset /= 2) {
    const std::uint64_t other = __shfl_xor_sync(full_warp, value, offset);
    value = value > other ? value : other;
  }
  return value;
}

// The sum over this lane and those before it.
__device__ __forceinline__ std::uint64_t running_sum_lanes(std::uint64_t value) {
#pragma unroll
  for (int offset = 1; offset < warp_size; offset *= 2) {
    const std::uint64_t other = __shfl_up_sync(full_warp, value, offset);
    if (static_cast<int>(threadIdx.x % warp_size) >= offset) value += other;
  }
  return value;
}

// The sum over this thread and those before it in a block of 1024. `warps` has 32 places; ends with a barrier.
__device__ __forceinline__ std::uint64_t running_sum_block(std::uint64_t value, std::uint64_t* warps) {
  const unsigned lane = threadIdx.x % warp_size, warp = threadIdx.x / warp_size;
  value = running_sum_lanes(value);
  if (lane == warp_size - 1) warps[warp] = value;
  __syncthreads();
  const std::uint64_t sums = running_sum_lanes(warps[lane]);
  const std::uint64_t before = __shfl_sync(full_warp, sums, warp == 0 ? 0 : warp - 1);
  __syncthreads();
  return warp == 0 ? value : value + before;
}

}  // namespace kernels::device
