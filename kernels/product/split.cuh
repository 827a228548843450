// An fp32 value as two bf16 ones. Device code only.
#pragma once

#include <cuda_bf16.h>

#include <cstddef>

namespace kernels::device {

// parts[at] and parts[at + distance]: the rounding of the value, and of what that lost.
__device__ __forceinline__ void store_parts(void* parts, std::size_t at, std::size_t distance, float value) {
  __nv_bfloat16* const to = static_cast<__nv_bfloat16*>(parts);
  const __nv_bfloat16 high = __float2bfloat16_rn(value);
  to[at] = high;
  to[at + distance] = __float2bfloat16_rn(value - __bfloat162float(high));
}

// Four neighbours at once; `at` and `distance` are multiples of 4.
__device__ __forceinline__ void store_parts(void* parts, std::size_t at, std::size_t distance, float4 values) {
  const float in[4] = {values.x, values.y, values.z, values.w};
  alignas(8) __nv_bfloat16 high[4], low[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    high[i] = __float2bfloat16_rn(in[i]);
    low[i] = __float2bfloat16_rn(in[i] - __bfloat162float(high[i]));
  }
  __nv_bfloat16* const to = static_cast<__nv_bfloat16*>(parts);
  *reinterpret_cast<uint2*>(to + at) = *reinterpret_cast<const uint2*>(high);
  *reinterpret_cast<uint2*>(to + at + distance) = *reinterpret_cast<const uint2*>(low);
}

}  // namespace kernels::device
