// A block takes one head of one layer and sequence: groups of lanes sum the Gram matrices of the values, then each thread
// takes one pair of channels, and the pairs' norms are summed over the block in a fixed order.
#include "kernels/device/launch.h"
#include "kernels/device/ranks.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/discretisation_errors/step_weights.h"
#include "kernels/fused/launch.cuh"
#include "kernels/fused/overlap.cuh"
#include "kernels/rotate/channels.cuh"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

using discretisation::Products;
using discretisation::Step;

constexpr int most_threads = 128;  // a thread for each pair of channels; d_state up to 256
constexpr int least_threads = 64;
constexpr int sums = 7;  // pp, nn and pn of all pairs; in the un-rotated frame the norms of E and of three errors

template <int width = warp_size>
__device__ __forceinline__ double sum_doubles(double value) {
#pragma unroll
  for (int offset = width / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(full_warp, value, offset);
  return value;
}

__device__ Step step_at(double re, double im, double cosine, double sine) {
  if (discretisation::near_zero(re, im)) return discretisation::step_by_series(re, im);
  const double decay = exp(re);
  return discretisation::step_in_closed_form(re, im, decay * cosine, decay * sine);
}

// Which product of values a Gram entry is: of ranks r and s, before with before, now with now, before with now.
struct Entry {
  int r, s;
  bool from_before, to_before;
};

// The order of the entries: before (r <= s), now (r <= s), cross (all).
template <int rank>
__device__ __forceinline__ Entry entry_of(int index) {
  constexpr int symmetric = rank * (rank + 1) / 2;
  if (index >= 2 * symmetric) {
    const int cross = index - 2 * symmetric;
    return {cross / rank, cross % rank, true, false};
  }
  const bool before = index < symmetric;
  int s = before ? index : index - symmetric, r = 0;
  while (s >= rank - r) s -= rank - r++;
  return {r, r + s, before, before};
}

template <int rank>
__global__ void __launch_bounds__(most_threads)
    discretisation_errors_kernel(const DiscretisationErrorsArgs<float> args) {
  constexpr int symmetric = rank * (rank + 1) / 2, entries = 2 * symmetric + rank * rank;
  constexpr int lanes = rank == 1 ? 16 : rank == 2 ? 4 : 1;  // that share an entry
  extern __shared__ double values[];                         // (2, R, P + 1): v before, then now
  __shared__ double gram[entries];
  __shared__ double warp_sums[most_threads / warp_size][sums];
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const int head = static_cast<int>(blockIdx.x), b = static_cast<int>(blockIdx.y), layer = static_cast<int>(blockIdx.z);
  const std::size_t sequence = static_cast<std::size_t>(layer) * args.batch + b;
  const std::size_t head_index = sequence * args.heads + head;
  const int pairs = args.d_state / 2, row = args.headdim + 1;
  wait_for_previous();

  // This thread's keys, and everybody's values; the token's own take the place of those before.
  const std::size_t coefficient = layer * args.coefficient_stride + static_cast<std::size_t>(b) * args.heads + head;
  const double dt = args.dt[coefficient], decay = static_cast<double>(args.a[coefficient]) * dt;
  const double lambda = args.lambda[coefficient];
  const double increment = thread < args.angles ? dt * args.turn[sequence * args.angles + thread] : 0.0;
  const int2 channel = thread < pairs ? pair_channels(thread, pairs, args.half_pairs) : make_int2(0, 0);
  float2 before[rank] = {}, now[rank] = {};
  if (thread < pairs) {
#pragma unroll
    for (int r = 0; r < rank; ++r) {
      const std::size_t key = ((sequence * rank + r) * args.heads + head) * args.d_state;
      now[r] = make_float2(args.k[key + channel.x], args.k[key + channel.y]);
      before[r] = make_float2(args.k_before[key + channel.x], args.k_before[key + channel.y]);
      args.k_before[key + channel.x] = now[r].x;
      args.k_before[key + channel.y] = now[r].y;
    }
  }
  for (int p = thread; p < args.headdim; p += threads) {
    const std::size_t at = head_index * args.headdim + p;
    const double x = args.x[at], x_before = args.x_before[at];
    args.x_before[at] = args.x[at];
    for (int r = 0; r < rank; ++r) {
      const std::size_t mix = ((static_cast<std::size_t>(layer) * args.heads + head) * rank + r) * args.headdim + p;
      const double mimo_x = args.mimo_x == nullptr ? 1.0 : args.mimo_x[mix];
      values[r * row + p] = mimo_x * x_before;
      values[(rank + r) * row + p] = mimo_x * x;
    }
  }
  __syncthreads();

  // All lanes of a warp make the same number of rounds: the sums need them.
  for (int first = 0; first < entries; first += threads / lanes) {
    const int index = first + thread / lanes;
    double sum = 0.0;
    if (index < entries) {
      const Entry entry = entry_of<rank>(index);
      const double* u = values + (entry.from_before ? entry.r : rank + entry.r) * row;
      const double* v = values + (entry.to_before ? entry.s : rank + entry.s) * row;
      for (int p = thread % lanes; p < args.headdim; p += lanes) sum = fma(u[p], v[p], sum);
    }
    sum = sum_doubles<lanes>(sum);
    if (index < entries && thread % lanes == 0) gram[index] = sum;
  }
  // Meanwhile what needs no values.
  double sine = 0.0, cosine = 1.0;
  if (increment != 0.0) sincos(increment, &sine, &cosine);
  const Step turning = step_at(decay, -increment, cosine, -sine);
  const Step still = step_at(decay, 0.0, 1.0, 0.0);
  __syncthreads();

  Products u;
  int entry = 0;
#pragma unroll
  for (int r = 0; r < rank; ++r) {
#pragma unroll
    for (int s = r; s < rank; ++s, ++entry) {
      const double twice = s == r ? 1.0 : 2.0;
      u.pp += twice * gram[entry] * (double(before[r].x) * before[s].x + double(before[r].y) * before[s].y);
      u.nn += twice * gram[symmetric + entry] * (double(now[r].x) * now[s].x + double(now[r].y) * now[s].y);
    }
#pragma unroll
    for (int s = 0; s < rank; ++s) {
      const double cross = gram[2 * symmetric + r * rank + s];
      u.pn_re += cross * (double(before[r].x) * now[s].x + double(before[r].y) * now[s].y);
      u.pn_im += cross * (double(before[r].y) * now[s].x - double(before[r].x) * now[s].y);
    }
  }
  const Products back = discretisation::turned_back(u, cosine, sine);
  const double mine[sums] = {u.pp,
                             u.nn,
                             u.pn_re,
                             norm_squared(back, turning.exact),
                             norm_squared(back, error_weights(turning, 1.0)),
                             norm_squared(back, turning.trapezoid),
                             norm_squared(back, error_weights(turning, lambda))};
#pragma unroll
  for (int i = 0; i < sums; ++i) {
    const double sum = sum_doubles(mine[i]);
    if (thread % warp_size == 0) warp_sums[thread / warp_size][i] = sum;
  }
  __syncthreads();

  if (thread >= errors_per_head) return;
  const int rule = thread % 3;
  const auto total = [&](int i) {
    double sum = 0.0;
    for (int w = 0; w < threads / warp_size; ++w) sum += warp_sums[w][i];
    return sum;
  };
  double exact = 0.0, error = 0.0;
  if (thread < 3) {
    const Products all{total(0), total(1), total(2), 0.0};
    exact = norm_squared(all, still.exact);
    error = norm_squared(all, error_weights(still, rule == 0 ? 1.0 : rule == 1 ? 0.5 : lambda));
  } else {
    exact = total(3);
    error = total(4 + rule);
  }
  args.errors[head_index * errors_per_head + thread] =
      exact > 0.0 ? static_cast<float>(sqrt(fmax(0.0, error) / exact)) : __int_as_float(0x7fc00000);
}

}  // namespace

int discretisation_errors(const DiscretisationErrorsArgs<float>& args, StreamHandle stream, bool overlap) {
  if (args.d_state > 2 * most_threads || args.layers > 65535 || args.batch > 65535) return cudaErrorInvalidValue;
  const int pairs = args.d_state / 2;
  const int threads = pairs <= least_threads ? least_threads : (pairs + warp_size - 1) / warp_size * warp_size;
  const dim3 grid(static_cast<unsigned>(args.heads), static_cast<unsigned>(args.batch),
                  static_cast<unsigned>(args.layers));
  const std::size_t shared =
      sizeof(double) * 2 * static_cast<std::size_t>(args.rank) * static_cast<std::size_t>(args.headdim + 1);
  Placement placement;
  placement.stream = stream;
  placement.overlap = overlap;
  int launched = cudaErrorInvalidValue;
  with_rank(args.rank, [&](auto rank) {
    launched =
        launch_kernel(discretisation_errors_kernel<decltype(rank)::value>, grid, threads, shared, placement, args);
  });
  return launched;
}

}  // namespace kernels::device
