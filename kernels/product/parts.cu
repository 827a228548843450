#include "kernels/device/activation.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/fused/coefficient_rows.cuh"
#include "kernels/fused/launch.cuh"
#include "kernels/fused/overlap.cuh"
#include "kernels/norm/norm.h"
#include "kernels/product/parts.h"
#include "kernels/product/split.cuh"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int block_size = 256;

__global__ void __launch_bounds__(block_size) norm_parts_kernel(const NormPartsArgs args) {
  extern __shared__ float values[];  // (d)
  __shared__ float scratch[block_size / warp_size];
  let_next_start();
  wait_for_previous();
  const std::size_t row = static_cast<std::size_t>(blockIdx.x) * args.width;
  const std::size_t distance = static_cast<std::size_t>(args.batch) * args.width;
  float squares = 0.0F;
  for (int i = static_cast<int>(threadIdx.x); i < args.width; i += block_size) {
    float value = args.residual[row + i];
    if (args.pending != nullptr) {
      value += args.pending[row + i] + args.pending[distance + row + i];
      args.residual[row + i] = value;
    }
    values[i] = value;
    squares = fmaf(value, value, squares);
  }
  const float mean = sum_block(squares, scratch) / static_cast<float>(args.width);
  const float scale = __frsqrt_rn(mean + static_cast<float>(norm_epsilon));
  for (int i = static_cast<int>(threadIdx.x); i < args.width; i += block_size) {
    store_parts(args.parts, row + i, distance, values[i] * scale * args.weight[i]);
  }
}

__global__ void __launch_bounds__(block_size) gate_parts_kernel(const GatePartsArgs args) {
  let_next_start();
  wait_for_previous();
  const int i = static_cast<int>(blockIdx.x) * block_size + static_cast<int>(threadIdx.x);
  if (i >= args.width) return;
  const std::size_t b = blockIdx.y;
  const float* high = args.product + b * 2 * args.width;
  const float* low = high + static_cast<std::size_t>(args.batch) * 2 * args.width;
  const float value = high[i] + low[i];
  const float gate = high[args.width + i] + low[args.width + i];
  store_parts(args.parts, b * args.width + i, static_cast<std::size_t>(args.batch) * args.width, value * silu(gate));
}

__global__ void __launch_bounds__(block_size) coefficient_parts_kernel(const CoefficientPartsArgs args) {
  let_next_start();
  wait_for_previous();
  const int row = static_cast<int>(blockIdx.x) * block_size + static_cast<int>(threadIdx.x);
  if (row >= 3 * args.coefficients.heads + args.coefficients.angles) return;
  const std::size_t at = static_cast<std::size_t>(blockIdx.y) * args.rows + args.coefficients.first + row;
  const float value = args.product[at] + args.product[at + static_cast<std::size_t>(args.batch) * args.rows];
  store_coefficient(args.coefficients, row, static_cast<int>(blockIdx.y), value);
}

__global__ void __launch_bounds__(block_size) add_parts_kernel(const AddPartsArgs args) {
  let_next_start();
  wait_for_previous();
  const std::size_t i = static_cast<std::size_t>(blockIdx.x) * block_size + threadIdx.x;
  if (i < args.count) args.out[i] = args.product[i] + args.product[args.count + i];
}

unsigned blocks_for(std::size_t count) { return static_cast<unsigned>((count + block_size - 1) / block_size); }

}  // namespace

int norm_parts(const NormPartsArgs& args, const Placement& placement) {
  return launch_kernel(norm_parts_kernel, dim3(static_cast<unsigned>(args.batch)), block_size,
                       sizeof(float) * static_cast<std::size_t>(args.width), placement, args);
}

int gate_parts(const GatePartsArgs& args, const Placement& placement) {
  const dim3 grid(blocks_for(static_cast<std::size_t>(args.width)), static_cast<unsigned>(args.batch));
  return launch_kernel(gate_parts_kernel, grid, block_size, 0, placement, args);
}

int coefficient_parts(const CoefficientPartsArgs& args, const Placement& placement) {
  const int rows = 3 * args.coefficients.heads + args.coefficients.angles;
  const dim3 grid(blocks_for(static_cast<std::size_t>(rows)), static_cast<unsigned>(args.batch));
  return launch_kernel(coefficient_parts_kernel, grid, block_size, 0, placement, args);
}

int add_parts(const AddPartsArgs& args, const Placement& placement) {
  return launch_kernel(add_parts_kernel, dim3(blocks_for(args.count)), block_size, 0, placement, args);
}

}  // namespace kernels::device
