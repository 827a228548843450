// A block takes some rows of the matrix and its warps share each row: a lane meets the same columns in every row, so its
// part of the input stays in registers, and all that moves is weights, 16 bytes a lane, `depth` rows in flight. The first
// rows are on their way before the kernel waits for its input. The sums of the warps meet at the end. A RMSNorm of the
// input costs no pass of its own: it scales the sums. Device code only.
//
// The order of a sum depends on the row's length and the weights' type alone.
#pragma once

#include "kernels/device/activation.cuh"
#include "kernels/device/load.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/fused/coefficient_rows.cuh"
#include "kernels/fused/fused_projection.h"
#include "kernels/fused/overlap.cuh"
#include "kernels/fused/sum_each.cuh"
#include "kernels/norm/norm.h"

#include <cuda_runtime.h>

namespace kernels::device {

struct FusedProblem {
  const void* w;
  const float* x;
  const float* norm;
  float* y;
  int outputs;  // rows of y; the matrix has twice as many when gated
  int cols;     // a multiple of 16 bytes
  int batch;
  int rows_per_block;  // of the outputs
  CoefficientRows coefficients;
  Prefetch next;
};

inline constexpr int max_warps = 8;

// 16 bytes that are read once: past the first cache.
__device__ __forceinline__ uint4 stream_16_bytes(const void* address) {
  uint4 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "l"(address));
  return v;
}

template <int width>
__device__ __forceinline__ void read_values(const float* from, float (&to)[width]) {
#pragma unroll
  for (int i = 0; i < width; i += 4) {
    const float4 four = *reinterpret_cast<const float4*>(from + i);
    to[i] = four.x;
    to[i + 1] = four.y;
    to[i + 2] = four.z;
    to[i + 3] = four.w;
  }
}

// Template arguments: element type of the weights; 16-byte pieces of a row in each lane; rows in flight; sequences at
// once (depth * tile <= 32). Shared memory: (rows + 1) * tile * warps floats, rows being those of the matrix.
template <class T, int pieces, int depth, int tile, ProjectionMode mode, bool normed, int blocks_per_sm>
__global__ void __launch_bounds__(max_warps* warp_size, blocks_per_sm) fused_projection_kernel(const FusedProblem p) {
  constexpr int width = vector_width<T>;
  constexpr bool gated = mode == ProjectionMode::gated;
  extern __shared__ float partial[];  // (row, sequence, warp), then the squares (sequence, warp)
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const int warp = static_cast<int>(threadIdx.x) / warp_size;
  const int warps = static_cast<int>(blockDim.x) / warp_size;
  // The last rows first: those of the input projection have the longest way to go.
  const int first_row = static_cast<int>(gridDim.x - 1 - blockIdx.x) * p.rows_per_block;
  const int outputs = min(p.rows_per_block, p.outputs - first_row);
  const int rows = gated ? 2 * outputs : outputs;
  const int first_sequence = static_cast<int>(blockIdx.y) * tile;
  const int row_pieces = p.cols / width;

  const auto load = [&](int i, int c) {
    const int row = gated && i >= outputs ? p.outputs + first_row + i - outputs : first_row + i;
    return stream_16_bytes(static_cast<const uint4*>(p.w) + static_cast<std::size_t>(row) * row_pieces +
                           (c * warps + warp) * warp_size + lane);
  };
  bool mine[pieces];
#pragma unroll
  for (int c = 0; c < pieces; ++c) mine[c] = (c * warps + warp) * warp_size + lane < row_pieces;
  uint4 bits[depth][pieces] = {};
#pragma unroll
  for (int i = 0; i < depth; ++i) {
#pragma unroll
    for (int c = 0; c < pieces; ++c) {
      if (i < rows && mine[c]) bits[i][c] = load(i, c);
    }
  }
  float scales[normed ? pieces : 1][width];
  if constexpr (normed) {
#pragma unroll
    for (int c = 0; c < pieces; ++c) {
      if (mine[c]) read_values(p.norm + ((c * warps + warp) * warp_size + lane) * width, scales[c]);
    }
  }
  let_next_start();
  wait_for_previous();
  if (threadIdx.x == 0 && blockIdx.y == 0) prefetch_share(p.next, blockIdx.x, gridDim.x);

  float x[tile][pieces][width];
#pragma unroll
  for (int b = 0; b < tile; ++b) {
    const float* from = p.x + static_cast<std::size_t>(min(first_sequence + b, p.batch - 1)) * p.cols;
    float squares = 0.0F;
#pragma unroll
    for (int c = 0; c < pieces; ++c) {
#pragma unroll
      for (int j = 0; j < width; ++j) x[b][c][j] = 0.0F;
      if (mine[c]) read_values(from + ((c * warps + warp) * warp_size + lane) * width, x[b][c]);
      if constexpr (normed) {
#pragma unroll
        for (int j = 0; j < width; ++j) {
          squares = fmaf(x[b][c][j], x[b][c][j], squares);
          x[b][c][j] *= mine[c] ? scales[c][j] : 0.0F;
        }
      }
    }
    if constexpr (normed) {
      squares = sum_lanes(squares);
      if (lane == 0) partial[(p.rows_per_block * (gated ? 2 : 1) * tile + b) * warps + warp] = squares;
    }
  }

  for (int base = 0; base < rows; base += depth) {
    float sums[depth * tile];
#pragma unroll
    for (int i = 0; i < depth; ++i) {
#pragma unroll
      for (int b = 0; b < tile; ++b) sums[i * tile + b] = 0.0F;
#pragma unroll
      for (int c = 0; c < pieces; ++c) {
        float weights[width];
        widen_16_bytes(bits[i][c], weights, static_cast<const T*>(nullptr));
#pragma unroll
        for (int b = 0; b < tile; ++b) {
#pragma unroll
          for (int j = 0; j < width; ++j) sums[i * tile + b] = fmaf(weights[j], x[b][c][j], sums[i * tile + b]);
        }
        if (base + depth + i < rows && mine[c]) bits[i][c] = load(base + depth + i, c);
      }
    }
    constexpr int n = depth * tile;
    const float sum = sum_each<warp_size>(sums);
    const int at = lane / (warp_size / n);
    if (lane % (warp_size / n) == 0 && base + at / tile < rows) partial[(base * tile + at) * warps + warp] = sum;
  }
  __syncthreads();

  for (int i = static_cast<int>(threadIdx.x); i < outputs * tile; i += static_cast<int>(blockDim.x)) {
    const int b = i % tile;
    const int row = first_row + i / tile;
    const int sequence = first_sequence + b;
    if (sequence >= p.batch) continue;
    const auto total = [&](int index) {
      float sum = 0.0F;
      for (int w = 0; w < warps; ++w) sum += partial[index * warps + w];
      return sum;
    };
    float scale = 1.0F;
    if constexpr (normed) {
      const float mean = total(p.rows_per_block * (gated ? 2 : 1) * tile + b) / static_cast<float>(p.cols);
      scale = __frsqrt_rn(mean + static_cast<float>(norm_epsilon));
    }
    const float value = total(i) * scale;
    float* y = p.y + static_cast<std::size_t>(sequence) * p.outputs + row;
    if constexpr (gated) {
      *y = value * silu(total(outputs * tile + i) * scale);
    } else if constexpr (mode == ProjectionMode::accumulate) {
      *y += value;
    } else {
      *y = value;
      if (normed && p.coefficients.first >= 0 && row >= p.coefficients.first) {
        store_coefficient(p.coefficients, row - p.coefficients.first, sequence, value);
      }
    }
  }
}

}  // namespace kernels::device
