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

constexpr int block_size = 256, norm_block = 512;

__device__ __forceinline__ float4 sum_of(const float4& a, const float4& b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

template <int pieces>
__global__ void __launch_bounds__(norm_block) norm_parts_kernel(const NormPartsArgs args) {
  extern __shared__ float4 values[];  // (d / 4)
  __shared__ float scratch[norm_block / warp_size];
  let_next_start();
  const int quads = args.width / 4;
  const std::size_t row = static_cast<std::size_t>(blockIdx.x) * quads;
  const std::size_t distance = static_cast<std::size_t>(args.batch) * quads;
  float4* const residual = reinterpret_cast<float4*>(args.residual) + row;
  const float4* const pending = reinterpret_cast<const float4*>(args.pending) + row;
  const float4* const weight = reinterpret_cast<const float4*>(args.weight);
  const int first = static_cast<int>(threadIdx.x);
  float4 w = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
  if (first < quads) w = weight[first];
  wait_for_previous();
  float squares = 0.0F;
  for (int i = first; i < quads; i += norm_block) {
    float4 v = residual[i];
    if constexpr (pieces > 0) {
      float4 sum = pending[i];
#pragma unroll
      for (int p = 1; p < pieces; ++p) sum = sum_of(sum, pending[p * distance + i]);
      v = sum_of(v, sum);
      residual[i] = v;
    }
    values[i] = v;
    squares = fmaf(v.x, v.x, fmaf(v.y, v.y, fmaf(v.z, v.z, fmaf(v.w, v.w, squares))));
  }
  const float mean = sum_block(squares, scratch) / static_cast<float>(args.width);
  const float scale = __frsqrt_rn(mean + static_cast<float>(norm_epsilon));
  for (int i = first; i < quads; i += norm_block) {
    const float4 v = values[i];
    const float4 normed = make_float4(v.x * scale * w.x, v.y * scale * w.y, v.z * scale * w.z, v.w * scale * w.w);
    store_parts(args.parts, 4 * (row + i), 4 * distance, normed);
    if (i + norm_block < quads) w = weight[i + norm_block];
  }
}

__global__ void __launch_bounds__(block_size) gate_parts_kernel(const GatePartsArgs args) {
  let_next_start();
  wait_for_previous();
  const int quads = args.width / 4;
  const int i = static_cast<int>(blockIdx.x) * block_size + static_cast<int>(threadIdx.x);
  if (i >= quads) return;
  const std::size_t b = blockIdx.y;
  const float4* const high = reinterpret_cast<const float4*>(args.product) + b * 2 * quads;
  const float4* const low = high + static_cast<std::size_t>(args.batch) * 2 * quads;
  const float4 v = sum_of(high[i], low[i]);
  const float4 g = sum_of(high[quads + i], low[quads + i]);
  const float4 gated = make_float4(v.x * silu(g.x), v.y * silu(g.y), v.z * silu(g.z), v.w * silu(g.w));
  store_parts(args.parts, 4 * (b * quads + i), static_cast<std::size_t>(args.batch) * args.width, gated);
}

__global__ void __launch_bounds__(block_size) coefficient_parts_kernel(const CoefficientPartsArgs args) {
  let_next_start();
  wait_for_previous();
  const int row = args.first_key + static_cast<int>(blockIdx.x) * block_size + static_cast<int>(threadIdx.x);
  const int first = args.coefficients.first;
  if (row >= first + 3 * args.coefficients.heads + args.coefficients.angles) return;
  const std::size_t at = static_cast<std::size_t>(blockIdx.y) * args.rows + row;
  const float value = args.product[at] + args.product[at + static_cast<std::size_t>(args.batch) * args.rows];
  if (row < first) {
    args.product[at] = value;
    const int key = row - args.first_key;
    const LastKeys& kept = args.last_keys;
    if (kept.now != nullptr && key < args.keys) {
      const std::size_t place = static_cast<std::size_t>(blockIdx.y) * args.keys + key;
      kept.last[place] = kept.now[place];
      kept.now[place] = value;
      if (place == 0) {
        kept.known[1] = kept.known[0];
        kept.known[0] = 1;
      }
    }
  } else {
    store_coefficient(args.coefficients, row - first, static_cast<int>(blockIdx.y), value);
  }
}

unsigned blocks_for(std::size_t count) { return static_cast<unsigned>((count + block_size - 1) / block_size); }

}  // namespace

int norm_parts(const NormPartsArgs& args, const Placement& placement) {
  const auto queue = [&](auto kernel) {
    return launch_kernel(kernel, dim3(static_cast<unsigned>(args.batch)), norm_block,
                         sizeof(float) * static_cast<std::size_t>(args.width), placement, args);
  };
  if (args.pending == nullptr) return queue(norm_parts_kernel<0>);
  if (args.pieces != 2 && args.pieces != 4) return cudaErrorInvalidValue;
  return args.pieces == 2 ? queue(norm_parts_kernel<2>) : queue(norm_parts_kernel<4>);
}

int gate_parts(const GatePartsArgs& args, const Placement& placement) {
  const dim3 grid(blocks_for(static_cast<std::size_t>(args.width / 4)), static_cast<unsigned>(args.batch));
  return launch_kernel(gate_parts_kernel, grid, block_size, 0, placement, args);
}

int coefficient_parts(const CoefficientPartsArgs& args, const Placement& placement) {
  const CoefficientRows& c = args.coefficients;
  const int rows = c.first + 3 * c.heads + c.angles - args.first_key;
  const dim3 grid(blocks_for(static_cast<std::size_t>(rows)), static_cast<unsigned>(args.batch));
  return launch_kernel(coefficient_parts_kernel, grid, block_size, 0, placement, args);
}

}  // namespace kernels::device
