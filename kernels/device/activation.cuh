// The gate of readout and MLP. Device code only.
#pragma once

#include <cuda_runtime.h>

namespace kernels {

__device__ __forceinline__ float silu(float gate) { return gate / (1.0F + expf(-gate)); }

}  // namespace kernels
