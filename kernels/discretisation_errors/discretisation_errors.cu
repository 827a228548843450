// A block takes one head of one layer and sequence: groups of lanes sum the Gram matrices of the values, then each thread
// takes one pair of channels, and the pairs' norms are summed over the block in a fixed order. Products and weights are in
// double, since a norm is made of terms that cancel.
#include "kernels/device/launch.h"
#include "kernels/device/ranks.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/discretisation_errors/step_weights.h"
#include "kernels/fused/launch.cuh"
#include "kernels/fused/overlap.cuh"
#include "kernels/fused/sum_each.cuh"
#include "kernels/rotate/channels.cuh"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

using discretisation::Form;
using discretisation::Products;
using discretisation::Step;

constexpr int most_threads = 128;  // a thread for each pair of channels; d_state up to 256
constexpr int least_threads = 64;
constexpr int rules = 4;  // the exact term, Euler, trapezoid, learned
constexpr int sums = 2 * rules;

__device__ __forceinline__ double sum_of(double value, int width) {
  for (int offset = width / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(full_warp, value, offset);
  return value;
}

// A pair that turns by `increment`: the weights, and the direction of the increment.
struct Turning {
  Step step;
  double cosine, sine;
};
__device__ Turning turning_at(double decay, double increment) {
  if (discretisation::near_zero(decay, increment)) {
    const Step step = discretisation::step_by_series(decay, -increment);
    const double scale = rsqrt(step.decay_re * step.decay_re + step.decay_im * step.decay_im);
    return {step, step.decay_re * scale, -step.decay_im * scale};
  }
  double sine = 0.0, cosine = 1.0;
  sincos(increment, &sine, &cosine);
  const double alpha = exp(decay);
  return {discretisation::step_in_closed_form(decay, -increment, alpha * cosine, -alpha * sine), cosine, sine};
}

__device__ Step still_at(double decay) {
  return discretisation::near_zero(decay, 0.0) ? discretisation::step_by_series(decay, 0.0)
                                               : discretisation::step_in_closed_form(decay, 0.0, exp(decay), 0.0);
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
__global__ void __launch_bounds__(most_threads, rank <= 2 ? 8 : 4)
    discretisation_errors_kernel(const DiscretisationErrorsArgs<float> args) {
  constexpr int symmetric = rank * (rank + 1) / 2, entries = 2 * symmetric + rank * rank;
  constexpr int lanes = rank == 1 ? 16 : rank == 2 ? 4 : 1;  // that share an entry
  extern __shared__ double values[];                         // (2, R, P + 1): v before, then now
  __shared__ double gram[entries];
  __shared__ Form forms[rules];  // of what does not turn
  __shared__ float warp_sums[most_threads / warp_size][sums];
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  const int warp = thread / warp_size, warps = threads / warp_size;
  const int head = static_cast<int>(blockIdx.x), b = static_cast<int>(blockIdx.y), layer = static_cast<int>(blockIdx.z);
  const std::size_t sequence = static_cast<std::size_t>(layer) * args.batch + b;
  const std::size_t head_index = sequence * args.heads + head;
  const int pairs = args.d_state / 2, row = args.headdim + 1;
  wait_for_previous();

  // This thread's keys, and everybody's values; the token's own take the place of those before.
  const std::size_t coefficient = layer * args.coefficient_stride + static_cast<std::size_t>(b) * args.heads + head;
  const double dt = args.dt[coefficient], decay = static_cast<double>(args.a[coefficient]) * dt;
  const double lambda = args.lambda[coefficient];
  double increment = thread < args.angles ? dt * args.turn[sequence * args.angles + thread] : 0.0;
  if (args.changes.pairs != nullptr && thread < args.angles) {
    increment =
        changed_advance(args.changes.pairs[head_index * args.angles + thread], args.turn + sequence * args.angles, dt);
  }
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
      Affine<float> write;
      if (args.changes.ranks != nullptr) write = args.changes.ranks[head_index * rank + r].write;
      values[r * row + p] = changed(write, mimo_x * x_before);
      values[(rank + r) * row + p] = changed(write, mimo_x * x);
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
    sum = sum_of(sum, lanes);
    if (index < entries && thread % lanes == 0) gram[index] = sum;
  }
  if (warp == warps - 1) {  // has the fewest pairs that turn
    const Step still = still_at(decay);
    if (thread % warp_size == 0) {
      forms[0] = form_of(still.exact);
      forms[1] = form_of(error_weights(still, 1.0));
      forms[2] = form_of(still.trapezoid);
      forms[3] = form_of(error_weights(still, lambda));
    }
  }
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
  // Squared norms, in fp32 from here on: nothing is subtracted from them any more.
  float squares[sums];
#pragma unroll
  for (int i = 0; i < rules; ++i) {
    const Form& form = forms[i];
    squares[i] = static_cast<float>(fma(form.pp, u.pp, fma(form.nn, u.nn, form.pn * u.pn_re)));
    squares[rules + i] = squares[i];
  }
  if (warp * warp_size < args.angles) {
    const auto [step, cosine, sine] = turning_at(decay, increment);
    const Products back = discretisation::turned_back(u, cosine, sine);
    squares[rules] = static_cast<float>(norm_squared(back, step.exact));
    squares[rules + 1] = static_cast<float>(norm_squared(back, error_weights(step, 1.0)));
    squares[rules + 2] = static_cast<float>(norm_squared(back, step.trapezoid));
    squares[rules + 3] = static_cast<float>(norm_squared(back, error_weights(step, lambda)));
  }
  constexpr int lanes_each = warp_size / sums;
  const float sum = sum_each<warp_size>(squares);
  if (thread % lanes_each == 0) warp_sums[warp][thread % warp_size / lanes_each] = sum;
  __syncthreads();

  if (thread >= errors_per_head) return;
  const int frame = thread / 3, rule = thread % 3;
  float exact = 0.0F, error = 0.0F;
  for (int w = 0; w < warps; ++w) {
    exact += warp_sums[w][frame * rules];
    error += warp_sums[w][frame * rules + 1 + rule];
  }
  args.errors[head_index * errors_per_head + thread] =
      exact > 0.0F ? sqrtf(fmaxf(0.0F, error) / exact) : __int_as_float(0x7fc00000);
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
