// A matrix times the activations of B sequences. A warp takes a few rows, its lanes walk along them in 16-byte pieces.
// The sum of one output is accumulated in an order that depends on the row length and the dtype only, so its bits do not
// change with the batch, the place in it, or the number of rows a warp takes.
#include "kernels/device/activation.cuh"
#include "kernels/device/launch.h"
#include "kernels/device/load.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/projection/projection.h"

#include <cuda_runtime.h>

#include <type_traits>

namespace kernels::device {

namespace {

constexpr int warps_per_block = 8;

// Adds w[row] . x[sequence] of this lane's pieces to sums[row][sequence]. Rows and sequences beyond the end are clamped
// to the last one: they are computed twice and not stored.
template <class T, int rows_per_warp, int tile, bool vectors>
__device__ __forceinline__ void accumulate(const T* const (&w)[rows_per_warp], const float* const (&x)[tile], int cols,
                                           float (&sums)[rows_per_warp][tile]) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  if constexpr (vectors) {
    constexpr int width = vector_width<T>;
#pragma unroll 2
    for (int c = lane * width; c < cols; c += warp_size * width) {
      uint4 bits[rows_per_warp];
#pragma unroll
      for (int r = 0; r < rows_per_warp; ++r) bits[r] = load_16_bytes(w[r] + c);
      float weights[rows_per_warp][width];
#pragma unroll
      for (int r = 0; r < rows_per_warp; ++r) widen_16_bytes(bits[r], weights[r], static_cast<const T*>(nullptr));
#pragma unroll
      for (int b = 0; b < tile; ++b) {
        float values[width];
#pragma unroll
        for (int i = 0; i < width; i += 4) {
          const float4 four = *reinterpret_cast<const float4*>(x[b] + c + i);
          values[i] = four.x;
          values[i + 1] = four.y;
          values[i + 2] = four.z;
          values[i + 3] = four.w;
        }
#pragma unroll
        for (int r = 0; r < rows_per_warp; ++r) {
#pragma unroll
          for (int i = 0; i < width; ++i) sums[r][b] = fmaf(weights[r][i], values[i], sums[r][b]);
        }
      }
    }
  } else {
    for (int c = lane; c < cols; c += warp_size) {
      float weights[rows_per_warp];
#pragma unroll
      for (int r = 0; r < rows_per_warp; ++r) weights[r] = widen(w[r][c]);
#pragma unroll
      for (int b = 0; b < tile; ++b) {
        const float value = x[b][c];
#pragma unroll
        for (int r = 0; r < rows_per_warp; ++r) sums[r][b] = fmaf(weights[r], value, sums[r][b]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < rows_per_warp; ++r) {
#pragma unroll
    for (int b = 0; b < tile; ++b) sums[r][b] = sum_lanes(sums[r][b]);
  }
}

struct Problem {
  const void* w;
  const float* x;
  float* y;
  int outputs;  // rows of y; the matrix has twice as many when gated
  int cols;
  int batch;
  bool add;  // y += instead of y =
};

template <class T, int rows_per_warp, int tile, bool vectors, bool gated>
__global__ void __launch_bounds__(warps_per_block* warp_size) projection_kernel(const Problem problem) {
  const int warp = static_cast<int>(threadIdx.x) / warp_size;
  const int first_row = (static_cast<int>(blockIdx.x) * warps_per_block + warp) * rows_per_warp;
  const int first_sequence = static_cast<int>(blockIdx.y) * tile;
  if (first_row >= problem.outputs) return;

  const std::size_t cols = static_cast<std::size_t>(problem.cols);
  const T* rows[rows_per_warp];
  const T* gate_rows[rows_per_warp];
#pragma unroll
  for (int r = 0; r < rows_per_warp; ++r) {
    const std::size_t row = static_cast<std::size_t>(min(first_row + r, problem.outputs - 1));
    rows[r] = static_cast<const T*>(problem.w) + row * cols;
    gate_rows[r] = rows[r] + static_cast<std::size_t>(problem.outputs) * cols;
  }
  const float* x[tile];
#pragma unroll
  for (int b = 0; b < tile; ++b) {
    x[b] = problem.x + static_cast<std::size_t>(min(first_sequence + b, problem.batch - 1)) * cols;
  }

  float sums[rows_per_warp][tile] = {};
  accumulate<T, rows_per_warp, tile, vectors>(rows, x, problem.cols, sums);
  float gates[rows_per_warp][tile] = {};
  if constexpr (gated) accumulate<T, rows_per_warp, tile, vectors>(gate_rows, x, problem.cols, gates);

  if (threadIdx.x % warp_size != 0) return;
#pragma unroll
  for (int r = 0; r < rows_per_warp; ++r) {
#pragma unroll
    for (int b = 0; b < tile; ++b) {
      if (first_row + r >= problem.outputs || first_sequence + b >= problem.batch) continue;
      float* y = problem.y + static_cast<std::size_t>(first_sequence + b) * static_cast<std::size_t>(problem.outputs) +
                 first_row + r;
      if constexpr (gated) {
        *y = sums[r][b] * silu(gates[r][b]);
      } else {
        *y = problem.add ? *y + sums[r][b] : sums[r][b];
      }
    }
  }
}

template <class T, int rows_per_warp, int tile, bool vectors, bool gated>
void launch_tile(const Problem& problem, StreamHandle stream) {
  constexpr int rows_per_block = warps_per_block * rows_per_warp;
  const dim3 grid(static_cast<unsigned>((problem.outputs + rows_per_block - 1) / rows_per_block),
                  static_cast<unsigned>((problem.batch + tile - 1) / tile));
  projection_kernel<T, rows_per_warp, tile, vectors, gated><<<grid, warps_per_block * warp_size, 0, stream>>>(problem);
}

template <class T, bool gated>
void launch_problem(const Problem& problem, StreamHandle stream) {
  const bool vectors = problem.cols % vector_width<T> == 0 && aligned_16(problem.w) && aligned_16(problem.x);
  // Enough rows to fill the device many times over: more of them in flight per warp.
  constexpr int many_rows = 16384;
  if (!vectors) {
    if (problem.batch == 1) return launch_tile<T, 1, 1, false, gated>(problem, stream);
    return launch_tile<T, 1, 8, false, gated>(problem, stream);
  }
  if (problem.batch == 1) {
    if (problem.outputs >= many_rows) return launch_tile<T, 4, 1, true, gated>(problem, stream);
    return launch_tile<T, 1, 1, true, gated>(problem, stream);
  }
  if (problem.batch <= 4) return launch_tile<T, 2, 4, true, gated>(problem, stream);
  return launch_tile<T, 2, 8, true, gated>(problem, stream);
}

}  // namespace

int projection(const ProjectionArgs<float>& args, StreamHandle stream) {
  const Problem problem{args.weight.data,
                        args.in,
                        args.out,
                        args.out_width(),
                        args.weight.cols,
                        args.batch,
                        args.mode == ProjectionMode::accumulate};
  with_element_type(args.weight.dtype, [&](const auto* type) {
    using T = std::remove_const_t<std::remove_pointer_t<decltype(type)>>;
    if (args.mode == ProjectionMode::gated) {
      launch_problem<T, true>(problem, stream);
    } else {
      launch_problem<T, false>(problem, stream);
    }
  });
  return cudaGetLastError();
}

}  // namespace kernels::device
