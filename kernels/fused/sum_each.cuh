// Many sums over lanes at once. Device code only.
#pragma once

#include "kernels/device/reduce.cuh"

namespace kernels::device {

// Sums n values over groups of `lanes` lanes with about n shuffles in place of n log(lanes). Value j's sum ends in the
// lanes of the group whose number divided by (lanes / n) is j; the order of each sum is that of sum_lanes.
template <int lanes, int n>
__device__ __forceinline__ float sum_each(float (&values)[n]) {
  static_assert(n <= lanes);
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  int count = n;
#pragma unroll
  for (int offset = lanes / 2; offset > 0; offset /= 2) {
    if (count > 1) {
      count /= 2;
      const bool upper = (lane & offset) != 0;
#pragma unroll
      for (int i = 0; i < n / 2; ++i) {
        if (i >= count) continue;
        const float sent = upper ? values[i] : values[i + count];
        const float kept = upper ? values[i + count] : values[i];
        values[i] = kept + __shfl_xor_sync(full_warp, sent, offset);
      }
    } else {
      values[0] += __shfl_xor_sync(full_warp, values[0], offset);
    }
  }
  return values[0];
}

}  // namespace kernels::device
