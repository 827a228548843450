// One pass over the state. A block takes some rows of one head of one sequence, a group of lanes a row: each lane holds
// four neighbouring channels in registers and sums their squares, and those of the change, on the way. The keys of all
// ranks lie in shared memory.
#include "kernels/device/launch.h"
#include "kernels/device/ranks.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/state_update/state_update.h"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int block_size = 256;
constexpr int rounds = 2;  // rows that a group of lanes takes

template <int lanes>
__global__ void __launch_bounds__(block_size) state_update_kernel(const StateUpdateArgs<float> args) {
  extern __shared__ float4 keys[];  // (R, N) of the last token, then of this one
  constexpr int rows_at_once = block_size / lanes;
  const int head = static_cast<int>(blockIdx.x);
  const int b = static_cast<int>(blockIdx.z);
  const int quads = args.d_state / 4;
  const std::size_t head_index = static_cast<std::size_t>(b) * args.heads + head;

  for (int i = static_cast<int>(threadIdx.x); i < args.rank * quads; i += block_size) {
    const std::size_t at =
        ((static_cast<std::size_t>(b) * args.rank + i / quads) * args.heads + head) * quads + i % quads;
    keys[i] = reinterpret_cast<const float4*>(args.k_prev)[at];
    keys[args.rank * quads + i] = reinterpret_cast<const float4*>(args.k)[at];
  }
  __syncthreads();

  const float alpha = args.alpha[head_index];
  const float beta = args.beta[head_index];
  const float gamma = args.gamma[head_index];
  const int lane = static_cast<int>(threadIdx.x) % lanes;
#pragma unroll
  for (int round = 0; round < rounds; ++round) {
    const int row =
        (static_cast<int>(blockIdx.y) * rounds + round) * rows_at_once + static_cast<int>(threadIdx.x) / lanes;
    const std::size_t value_index = head_index * args.headdim + row;
    float squares = 0.0F, change_squares = 0.0F;
    if (row < args.headdim) {
      const float last = beta * args.x_prev[value_index];
      const float fresh = gamma * args.x[static_cast<std::size_t>(b) * args.stride + head * args.headdim + row];
      float4* h = reinterpret_cast<float4*>(args.h + value_index * args.d_state);
      for (int quad = lane; quad < quads; quad += lanes) {
        const float4 old = h[quad];
        float4 now = make_float4(alpha * old.x, alpha * old.y, alpha * old.z, alpha * old.w);
        for (int r = 0; r < args.rank; ++r) {
          const float mix = args.mimo_x == nullptr ? 1.0F : args.mimo_x[(head * args.rank + r) * args.headdim + row];
          float v_prev = last * mix;
          float v = fresh * mix;
          if (args.changes.ranks != nullptr) {
            const Affine<float> write = args.changes.ranks[head_index * args.rank + r].write;
            v_prev = fmaf(write.scale, v_prev, beta * write.offset);
            v = fmaf(write.scale, v, gamma * write.offset);
          }
          const float4 k_prev = keys[r * quads + quad];
          const float4 k = keys[(args.rank + r) * quads + quad];
          now.x = fmaf(v, k.x, fmaf(v_prev, k_prev.x, now.x));
          now.y = fmaf(v, k.y, fmaf(v_prev, k_prev.y, now.y));
          now.z = fmaf(v, k.z, fmaf(v_prev, k_prev.z, now.z));
          now.w = fmaf(v, k.w, fmaf(v_prev, k_prev.w, now.w));
        }
        h[quad] = now;
        squares = fmaf(now.x, now.x, fmaf(now.y, now.y, fmaf(now.z, now.z, fmaf(now.w, now.w, squares))));
        const float4 d = make_float4(now.x - old.x, now.y - old.y, now.z - old.z, now.w - old.w);
        change_squares = fmaf(d.x, d.x, fmaf(d.y, d.y, fmaf(d.z, d.z, fmaf(d.w, d.w, change_squares))));
      }
    }
    squares = sum_lanes<lanes>(squares);
    change_squares = sum_lanes<lanes>(change_squares);
    if (row < args.headdim && lane == 0) {
      args.row_norm2[value_index] = squares;
      args.row_change2[value_index] = change_squares;
    }
  }
}

}  // namespace

int state_update(const StateUpdateArgs<float>& args, StreamHandle stream) {
  if (args.rank < 1 || args.rank > max_rank || args.d_state % 4 != 0) return cudaErrorInvalidValue;
  const std::size_t shared_bytes = sizeof(float) * 2 * args.rank * args.d_state;  // at most 16 KiB
  with_lanes(args.d_state, [&](auto lanes) {
    constexpr int rows_per_block = block_size / decltype(lanes)::value * rounds;
    const dim3 grid(static_cast<unsigned>(args.heads),
                    static_cast<unsigned>((args.headdim + rows_per_block - 1) / rows_per_block),
                    static_cast<unsigned>(args.batch));
    state_update_kernel<decltype(lanes)::value><<<grid, block_size, shared_bytes, stream>>>(args);
  });
  return cudaGetLastError();
}

}  // namespace kernels::device
