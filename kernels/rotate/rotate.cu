// Angles advance by turn * dt; B and C of the token become key and query: RMSNorm over N, the head's bias, rotation.
// A block takes one head of one sequence: first its angles, then one warp per rank and per B or C. A lane holds the
// channel pairs that it rotates, so that norm, bias and rotation stay in registers.
#include "kernels/device/launch.h"
#include "kernels/device/reduce.cuh"
#include "kernels/norm/norm.h"
#include "kernels/rotate/channels.cuh"
#include "kernels/rotate/rotate.h"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int block_size = 128;
constexpr int max_pairs = 128;  // d_state up to 256
constexpr int pairs_per_lane = max_pairs / warp_size;
constexpr double two_pi = 6.283185307179586;

struct Turned {
  float angle;
  int turns;
};

// angle + advance, wrapped into [0, 2 pi) with the whole turns counted. In double, so that the only rounding of a step
// is that of the stored angle.
__device__ Turned advanced(float angle, int turns, double advance) {
  const double sum = static_cast<double>(angle) + advance;
  const double whole = floor(sum / two_pi);
  Turned now{static_cast<float>(sum - whole * two_pi), turns + static_cast<int>(whole)};
  if (now.angle >= static_cast<float>(two_pi)) {  // rounded up to the next turn
    now.angle = 0.0F;
    ++now.turns;
  }
  now.angle = fmaxf(now.angle, 0.0F);
  return now;
}

__global__ void __launch_bounds__(block_size) rotate_kernel(const RotateArgs<float> args) {
  __shared__ float sine[max_pairs];
  __shared__ float cosine[max_pairs];
  const int head = static_cast<int>(blockIdx.x);
  const int b = static_cast<int>(blockIdx.y);
  const int pairs = args.d_state / 2;
  const std::size_t head_index = static_cast<std::size_t>(b) * args.heads + head;

  for (int i = static_cast<int>(threadIdx.x); i < pairs; i += block_size) {
    float s = 0.0F, c = 1.0F;
    if (i < args.angles) {
      const std::size_t at = head_index * args.angles + i;
      const float* turns = args.turn + static_cast<std::size_t>(b) * args.angles;
      const double dt = args.dt[head_index];
      const double advance = args.changes.pairs == nullptr ? static_cast<double>(turns[i]) * dt
                                                           : changed_advance(args.changes.pairs[at], turns, dt);
      const Turned now = advanced(args.angle[at], args.turns[at], advance);
      args.angle[at] = now.angle;
      args.turns[at] = now.turns;
      sincosf(now.angle, &s, &c);
    }
    sine[i] = s;
    cosine[i] = c;
  }
  __syncthreads();

  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const int group = head / (args.heads / args.groups);
  for (int vector = static_cast<int>(threadIdx.x) / warp_size; vector < 2 * args.rank;
       vector += block_size / warp_size) {
    const int r = vector / 2;
    const bool query = vector % 2 == 1;
    const float* in = (query ? args.c : args.b) + static_cast<std::size_t>(b) * args.stride +
                      (r * args.groups + group) * args.d_state;
    const float* weight = query ? args.c_norm : args.b_norm;
    const float* bias = (query ? args.c_bias : args.b_bias) + (head * args.rank + r) * args.d_state;
    float* out =
        (query ? args.q : args.k) + ((static_cast<std::size_t>(b) * args.rank + r) * args.heads + head) * args.d_state;

    Affine<float> change;
    if (args.changes.ranks != nullptr) {
      const RankChange& of_rank = args.changes.ranks[head_index * args.rank + r];
      change = query ? of_rank.c_bias : of_rank.b_bias;
    }

    float first[pairs_per_lane], second[pairs_per_lane];
    float squares = 0.0F;
#pragma unroll
    for (int j = 0; j < pairs_per_lane; ++j) {
      const int i = lane + j * warp_size;
      first[j] = second[j] = 0.0F;
      if (i >= pairs) continue;
      const int2 at = pair_channels(i, pairs, args.half_pairs);
      first[j] = in[at.x];
      second[j] = in[at.y];
      squares = fmaf(first[j], first[j], fmaf(second[j], second[j], squares));
    }
    const float mean = sum_lanes(squares) / static_cast<float>(args.d_state);
    const float scale = 1.0F / sqrtf(mean + static_cast<float>(norm_epsilon));
#pragma unroll
    for (int j = 0; j < pairs_per_lane; ++j) {
      const int i = lane + j * warp_size;
      if (i >= pairs) continue;
      const int2 at = pair_channels(i, pairs, args.half_pairs);
      const float u = fmaf(first[j] * scale, weight[at.x], changed(change, bias[at.x]));
      const float v = fmaf(second[j] * scale, weight[at.y], changed(change, bias[at.y]));
      out[at.x] = u * cosine[i] - v * sine[i];
      out[at.y] = u * sine[i] + v * cosine[i];
    }
  }
}

}  // namespace

int rotate(const RotateArgs<float>& args, StreamHandle stream) {
  if (args.d_state > 2 * max_pairs) return cudaErrorInvalidValue;
  const dim3 grid(static_cast<unsigned>(args.heads), static_cast<unsigned>(args.batch));
  rotate_kernel<<<grid, block_size, 0, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace kernels::device
