// What a token reads from the state. A block takes one head of one sequence: groups of lanes sum along the rows of the
// state for all ranks at once, the outputs meet in shared memory for norm and gate. The caches take the token's key and
// value, and the rows' sums of squares become the head's.
#include "kernels/device/activation.cuh"
#include "kernels/device/launch.h"
#include "kernels/device/ranks.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/norm/norm.h"
#include "kernels/readout/readout.h"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int block_size = 256;

// One block's place: head of sequence b.
struct Place {
  int head, b;
  std::size_t head_index;  // (B, H)
};

__device__ void fill_caches(const ReadoutArgs<float>& args, const Place& place, const float* x, float* queries) {
  for (int i = static_cast<int>(threadIdx.x); i < args.rank * args.d_state; i += block_size) {
    const int r = i / args.d_state;
    const std::size_t at =
        ((static_cast<std::size_t>(place.b) * args.rank + r) * args.heads + place.head) * args.d_state +
        i % args.d_state;
    queries[i] = args.q[at];
    args.k_prev[at] = args.k[at];
  }
  for (int i = static_cast<int>(threadIdx.x); i < args.headdim; i += block_size) {
    args.x_prev[place.head_index * args.headdim + i] = x[i];
  }
}

// y (R, P) in shared memory: h q + D v.
template <int rank, int lanes>
__device__ void read_rows(const ReadoutArgs<float>& args, const Place& place, const float* x, const float* queries,
                          float* y) {
  constexpr int rows_at_once = block_size / lanes;
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  const int quads = args.d_state / 4;
  // Every lane of a warp makes the same number of rounds: the sums need all of them.
  for (int first = 0; first < args.headdim; first += rows_at_once) {
    const int row = first + static_cast<int>(threadIdx.x) / lanes;
    float sums[rank] = {};
    if (row < args.headdim) {
      const float4* h =
          reinterpret_cast<const float4*>(args.h + (place.head_index * args.headdim + row) * args.d_state);
      for (int quad = lane; quad < quads; quad += lanes) {
        const float4 four = h[quad];
#pragma unroll
        for (int r = 0; r < rank; ++r) {
          const float4 q = reinterpret_cast<const float4*>(queries)[r * quads + quad];
          sums[r] = fmaf(four.x, q.x, fmaf(four.y, q.y, fmaf(four.z, q.z, fmaf(four.w, q.w, sums[r]))));
        }
      }
    }
#pragma unroll
    for (int r = 0; r < rank; ++r) sums[r] = sum_lanes<lanes>(sums[r]);
    if (row < args.headdim && lane == 0) {
      float d = args.d[place.head];
      if (args.changes.heads != nullptr) d = changed(args.changes.heads[place.head_index].d, d);
      const float skip = d * x[row];
#pragma unroll
      for (int r = 0; r < rank; ++r) {
        const float mix = args.mimo_x == nullptr ? 1.0F : args.mimo_x[(place.head * rank + r) * args.headdim + row];
        y[r * args.headdim + row] = fmaf(skip, mix, sums[r]);
      }
    }
  }
}

// The square root of the sum of P row sums, in every thread.
__device__ float head_norm(const float* rows, int headdim, float* scratch) {
  float sum = 0.0F;
  for (int i = static_cast<int>(threadIdx.x); i < headdim; i += block_size) sum += rows[i];
  return sqrtf(sum_block(sum, scratch));
}

template <int rank, int lanes>
__global__ void __launch_bounds__(block_size) readout_kernel(const ReadoutArgs<float> args) {
  extern __shared__ float4 shared[];
  __shared__ float scratch[block_size / warp_size];
  float* queries = reinterpret_cast<float*>(shared);  // (R, N)
  float* y = queries + rank * args.d_state;           // (R, P)
  const int headdim = args.headdim;
  const int head = static_cast<int>(blockIdx.x);
  const int b = static_cast<int>(blockIdx.y);
  const Place place{head, b, static_cast<std::size_t>(b) * args.heads + head};
  const std::size_t piece = static_cast<std::size_t>(b) * args.stride + head * headdim;
  const float* x = args.x + piece;
  const float* z = args.z + piece;

  fill_caches(args, place, x, queries);
  __syncthreads();
  read_rows<rank, lanes>(args, place, x, queries, y);
  const float norm = head_norm(args.row_norm2 + place.head_index * headdim, headdim, scratch);
  const float change = head_norm(args.row_change2 + place.head_index * headdim, headdim, scratch);
  if (threadIdx.x == 0) {
    args.state_norm[place.head_index] = norm;
    args.state_change[place.head_index] = change;
  }
  __syncthreads();

  Affine<float> output;  // of MIMO once the ranks are summed
  if (args.changes.heads != nullptr && args.mimo_x == nullptr) {
    output = args.changes.heads[place.head_index].output;
  }
  for (int r = 0; r < rank; ++r) {
    if (args.changes.ranks != nullptr) {  // each thread those that it reads below
      const Affine<float> read = args.changes.ranks[place.head_index * rank + r].read;
      for (int i = static_cast<int>(threadIdx.x); i < headdim; i += block_size) {
        y[r * headdim + i] = changed(read, y[r * headdim + i]);
      }
    }
    float scale = 1.0F;
    if (args.norm != nullptr) {
      float squares = 0.0F;
      for (int i = static_cast<int>(threadIdx.x); i < headdim; i += block_size) {
        squares = fmaf(y[r * headdim + i], y[r * headdim + i], squares);
      }
      const float mean = sum_block(squares, scratch) / static_cast<float>(headdim);
      scale = 1.0F / sqrtf(mean + static_cast<float>(norm_epsilon));
    }
    for (int i = static_cast<int>(threadIdx.x); i < headdim; i += block_size) {
      float value = y[r * headdim + i];
      if (args.norm != nullptr) value = value * scale * args.norm[head * headdim + i];
      const float gate = args.mimo_z == nullptr ? z[i] : args.mimo_z[(head * rank + r) * headdim + i] * z[i];
      args.out[((static_cast<std::size_t>(b) * rank + r) * args.heads + head) * headdim + i] =
          changed(output, value * silu(gate));
    }
  }
}

}  // namespace

int readout(const ReadoutArgs<float>& args, StreamHandle stream) {
  if (args.d_state % 4 != 0) return cudaErrorInvalidValue;
  const std::size_t shared_bytes = sizeof(float) * args.rank * (args.d_state + args.headdim);  // at most 16 KiB
  const dim3 grid(static_cast<unsigned>(args.heads), static_cast<unsigned>(args.batch));
  const bool known = with_rank(args.rank, [&](auto rank) {
    with_lanes(args.d_state, [&](auto lanes) {
      readout_kernel<decltype(rank)::value, decltype(lanes)::value><<<grid, block_size, shared_bytes, stream>>>(args);
    });
  });
  return known ? cudaGetLastError() : cudaErrorInvalidValue;
}

}  // namespace kernels::device
