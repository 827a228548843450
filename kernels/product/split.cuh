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

}  // namespace kernels::device
