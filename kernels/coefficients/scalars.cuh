// The functions that turn projected scalars into coefficients, for every kernel that does so (equations: coefficients.h).
// In double. Device code only.
#pragma once

#include <cuda_runtime.h>

namespace kernels::device::coefficient {

inline constexpr double pi = 3.141592653589793;

__device__ inline double softplus(double u) { return u > 20.0 ? u : log1p(exp(u)); }
__device__ inline double sigmoid(double u) { return 1.0 / (1.0 + exp(-u)); }
__device__ inline double heavy_tail(double u) { return u >= 0.0 ? 1.0 + u : 1.0 / (1.0 - u); }

}  // namespace kernels::device::coefficient
