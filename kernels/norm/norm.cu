// RMSNorm over one vector per sequence, a block each.
#include "kernels/device/launch.h"
#include "kernels/device/reduce.cuh"
#include "kernels/norm/norm.h"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int block_size = 256;

__global__ void __launch_bounds__(block_size) norm_kernel(const NormArgs<float> args) {
  __shared__ float scratch[block_size / warp_size];
  const std::size_t row = static_cast<std::size_t>(blockIdx.x) * static_cast<std::size_t>(args.width);
  const float* x = args.in + row;
  float* y = args.out + row;
  float squares = 0.0F;
  for (int i = static_cast<int>(threadIdx.x); i < args.width; i += block_size) squares = fmaf(x[i], x[i], squares);
  const float mean = sum_block(squares, scratch) / static_cast<float>(args.width);
  const float scale = 1.0F / sqrtf(mean + static_cast<float>(norm_epsilon));
  for (int i = static_cast<int>(threadIdx.x); i < args.width; i += block_size) y[i] = x[i] * scale * args.weight[i];
}

}  // namespace

int norm(const NormArgs<float>& args, StreamHandle stream) {
  norm_kernel<<<static_cast<unsigned>(args.batch), block_size, 0, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace kernels::device
