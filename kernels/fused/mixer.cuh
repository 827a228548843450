// A block takes one head of one sequence; its state is on its way to shared memory before the kernel waits for the
// projection. A group of lanes shares a row, each lane a few quads of neighbouring channels, and reads back only what it
// fetched itself: few lanes a row make sums over lanes cheap. Keys, queries and the small tensors of the head lie in shared
// memory too. Device code only.
#pragma once

#include "kernels/device/activation.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/fused/key.cuh"
#include "kernels/fused/mixer.h"
#include "kernels/fused/overlap.cuh"
#include "kernels/fused/sum_each.cuh"
#include "kernels/norm/norm.h"
#include "kernels/product/split.cuh"
#include "kernels/rotate/channels.cuh"

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <type_traits>

namespace kernels::device {

inline constexpr int mixer_block = 256;
inline constexpr int mixer_warps = mixer_block / warp_size;
inline constexpr int chunk_quads = 2048;  // of the state in shared memory at a time

// Four neighbouring channels of the state as they are stored.
template <class S>
struct Quad;
template <>
struct Quad<float> {
  float4 bits;
  __device__ __forceinline__ float4 values() const { return bits; }
  __device__ static __forceinline__ Quad of(float4 v) { return {v}; }
};
template <>
struct Quad<__nv_bfloat16> {
  uint2 bits;
  __device__ __forceinline__ float4 values() const {
    return make_float4(__uint_as_float(bits.x << 16U), __uint_as_float(bits.x & 0xffff0000U),
                       __uint_as_float(bits.y << 16U), __uint_as_float(bits.y & 0xffff0000U));
  }
  __device__ static __forceinline__ Quad of(float4 v) {
    const __nv_bfloat162 low = __floats2bfloat162_rn(v.x, v.y), high = __floats2bfloat162_rn(v.z, v.w);
    Quad q;
    q.bits.x = *reinterpret_cast<const unsigned*>(&low);
    q.bits.y = *reinterpret_cast<const unsigned*>(&high);
    return q;
  }
};

// Starts the copy of one quad into shared memory.
template <class S>
__device__ __forceinline__ void fetch_quad(Quad<S>* shared, const Quad<S>* from) {
  const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  if constexpr (sizeof(Quad<S>) == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8;" ::"r"(to), "l"(from) : "memory");
  }
}

// `streaming`: as what will be in no cache any more when it is read again.
template <bool streaming, class S>
__device__ __forceinline__ void store_quad(Quad<S>* to, const Quad<S>& quad) {
  if constexpr (streaming) {
    __stcs(&to->bits, quad.bits);
  } else {
    *to = quad;
  }
}

// The same index, of which the compiler knows nothing before it is used: no address waits in registers.
__device__ __forceinline__ int late(int index) {
  asm volatile("" : "+r"(index));
  return index;
}

struct Phase {
  float angle;
  int turns;
};

// What a sum of two loses by rounding.
__device__ __forceinline__ float lost_by(float a, float b, float sum) {
  const float added = sum - a;
  return (a - (sum - added)) + (b - added);
}

// A number and what it lost by rounding.
struct Rounded {
  float value, lost;
};

// What a pair advances by.
__device__ __forceinline__ Rounded advance_of(float turn, float dt) {
  const float product = turn * dt;
  return {product, fmaf(turn, dt, -product)};
}

__device__ __forceinline__ Rounded changed_advance(const Affine<float>& change, const Rounded& advance) {
  const float scaled = change.scale * advance.value;
  const float scaled_lost = fmaf(change.scale, advance.lost, fmaf(change.scale, advance.value, -scaled));
  const float sum = scaled + change.offset;
  return {sum, lost_by(scaled, change.offset, sum) + scaled_lost};
}

// angle + advance, wrapped into [0, 2 pi) with the whole turns counted. Everything is kept with its rounding errors, so
// that the only rounding is that of the stored angle.
__device__ __forceinline__ Phase advanced(Phase phase, const Rounded& advance) {
  constexpr float two_pi = 6.2831855F, two_pi_rest = -1.7484556e-7F, per_turn = 0.15915494F;
  const float sum = phase.angle + advance.value;
  const float lost = lost_by(phase.angle, advance.value, sum) + advance.lost;
  float whole = floorf(sum * per_turn);
  float angle = fmaf(-whole, two_pi, sum) + fmaf(-whole, two_pi_rest, lost);
  if (angle < 0.0F) {
    angle += two_pi;
    whole -= 1.0F;
  }
  if (angle >= two_pi) {
    angle = fmaxf(angle - two_pi, 0.0F);
    whole += 1.0F;
  }
  return {angle, phase.turns + static_cast<int>(whole)};
}

// Where the pieces of one head lie in shared memory behind the chunk of its state, in floats.
struct MixerShared {
  int k_prev, k, q;               // (R, N)
  int x_prev, x, z;               // (P)
  int mimo_x, mimo_z, mimo_o, y;  // (R, P)
  int values;                     // (R, P, 2): what the last and this token's keys are multiplied by
  int b_norm, c_norm;             // (N)
  int norm;                       // (P)
  int sine, cosine;               // (N / 2)
  int last_sine, last_cosine;     // (N / 2)
  int size;

  __host__ __device__ constexpr MixerShared(int rank, int headdim, int d_state, bool mimo, bool normed)
      : k_prev(0),
        k(k_prev + rank * d_state),
        q(k + rank * d_state),
        x_prev(q + rank * d_state),
        x(x_prev + up(headdim)),
        z(x + up(headdim)),
        mimo_x(z + up(headdim)),
        mimo_z(mimo_x + (mimo ? up(rank * headdim) : 0)),
        mimo_o(mimo_z + (mimo ? up(rank * headdim) : 0)),
        y(mimo_o + (mimo ? up(rank * headdim) : 0)),
        values(y + up(rank * headdim)),
        b_norm(values + up(2 * rank * headdim)),
        c_norm(b_norm + d_state),
        norm(c_norm + d_state),
        sine(norm + (normed ? up(headdim) : 0)),
        cosine(sine + up(d_state / 2)),
        last_sine(cosine + up(d_state / 2)),
        last_cosine(last_sine + up(d_state / 2)),
        size(last_cosine + up(d_state / 2)) {}

 private:
  __host__ __device__ static constexpr int up(int count) { return (count + 3) / 4 * 4; }
};

// Template arguments: lanes that share a row; quads of a row in each lane; rows whose sums are made together; what is
// known when compiling: R, P and N (0: any); type of the state; blocks that share a head (2: a cluster, each with half the
// rows, for a known shape without an output norm); whether the projection came as a product in two parts;
// whether there may be tables of changes (without, a step is not slowed by what it might be changed by).
template <int lanes, int quads, int held, int known_rank, int known_headdim, int known_state, class S, int split,
          bool parts, bool tables, int blocks_per_sm>
__global__ void __launch_bounds__(mixer_block, blocks_per_sm) mixer_kernel(const MixerArgs args) {
  extern __shared__ float4 shared_quads[];
  __shared__ float2 warp_sums[2 * mixer_warps];
  __shared__ float rank_scale[8];
  Quad<S>* const chunk = reinterpret_cast<Quad<S>*>(shared_quads);
  float* const shared = reinterpret_cast<float*>(chunk + chunk_quads);
  constexpr int pairs_per_lane = (2 * lanes * quads + warp_size - 1) / warp_size;
  constexpr int rows_at_once = mixer_block / lanes;
  constexpr int rounds = chunk_quads / mixer_block / quads;  // rows of a chunk that each lane meets
  // Whether the known shape leaves no lane and no round without work, so that nothing need be asked on the way.
  constexpr bool whole = known_rank > 0 && known_headdim > 0 && known_headdim % (held * rows_at_once) == 0 &&
                         known_state == 4 * lanes * quads && known_rank * known_state <= 4 * mixer_block;
  const LayerChanges changes = tables ? args.changes : LayerChanges();
  const int rank = known_rank > 0 ? known_rank : args.rank;
  const int headdim = known_headdim > 0 ? known_headdim : args.headdim;
  const int d_state = known_state > 0 ? known_state : args.d_state;
  const bool mimo = known_rank == 1 ? false : args.mimo_x != nullptr;
  const MixerShared at(rank, headdim, d_state, mimo, args.norm != nullptr);
  constexpr bool one_chunk = whole && known_headdim <= rounds * rows_at_once;
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = thread / warp_size;
  const int lane = thread % lanes;
  const int head = static_cast<int>(blockIdx.x) / split;
  const int part = static_cast<int>(blockIdx.x) % split;
  const int b = static_cast<int>(blockIdx.y);
  const int head_index = b * args.heads + head;
  const int row_quads = d_state / 4;
  Quad<S>* const h = static_cast<Quad<S>*>(args.h) + static_cast<std::size_t>(head_index) * headdim * row_quads;

  const int first_row = part * (headdim / split);
  const int end_row = first_row + headdim / split;

  // What does not depend on this token: the first rows of the state, the caches, the head's own weights.
  const auto fetch_rows = [&](int first) {
#pragma unroll
    for (int j = 0; j < rounds / split; ++j) {
      const int row = first + j * rows_at_once + thread / lanes;
#pragma unroll
      for (int c = 0; c < quads; ++c) {
        const int quad = lane + c * lanes;
        if (whole || (row < headdim && quad < row_quads)) {
          fetch_quad(chunk + (j * quads + c) * mixer_block + thread, h + row * row_quads + quad);
        }
      }
    }
  };
  fetch_rows(first_row);
  const int angle_index = (thread + mixer_block - 2 * warp_size) % mixer_block;  // the first warps have keys to norm
  Phase phase{};
  const std::size_t phase_at = static_cast<std::size_t>(head_index) * args.angles + angle_index;
  int source = angle_index;  // of the turn
  if (angle_index < args.angles) {
    phase = {args.angle[phase_at], args.turns[phase_at]};
    if (changes.pairs != nullptr) {  // waits where sine and cosine come to lie, not in registers
      const PairChange& change = changes.pairs[phase_at];
      fetch_one(shared + at.sine + angle_index, &change.advance.scale);
      fetch_one(shared + at.cosine + angle_index, &change.advance.offset);
      source = change.source;
    }
  }
  float skip = args.d[head];
  if (changes.heads != nullptr) skip = changed(changes.heads[head_index].d, skip);
  const int head_rank = head * rank;
  // Whether the last keys are made again: then their bias comes where they will lie, as for those of this token.
  const bool again = parts && !tables && args.last_keys.last != nullptr;
  if (again) fetch<whole>(shared + at.k_prev, args.b_bias + head_rank * d_state, rank * d_state, mixer_block);
  for (int r = 0; r < (again ? 0 : rank); ++r) {
    const std::size_t key = static_cast<std::size_t>((b * rank + r) * args.heads + head) * d_state;
    fetch<whole>(shared + at.k_prev + r * d_state, args.k_prev + key, d_state, mixer_block);
  }
  fetch<whole>(shared + at.k, args.b_bias + head_rank * d_state, rank * d_state, mixer_block);
  fetch<whole>(shared + at.q, args.c_bias + head_rank * d_state, rank * d_state, mixer_block);
  fetch<whole>(shared + at.x_prev, args.x_prev + static_cast<std::size_t>(head_index) * headdim, headdim, mixer_block);
  fetch<whole>(shared + at.b_norm, args.b_norm, d_state, mixer_block);
  fetch<whole>(shared + at.c_norm, args.c_norm, d_state, mixer_block);
  if (mimo) {
    fetch<whole>(shared + at.mimo_x, args.mimo_x + head_rank * headdim, rank * headdim, mixer_block);
    fetch<whole>(shared + at.mimo_z, args.mimo_z + head_rank * headdim, rank * headdim, mixer_block);
    fetch<whole>(shared + at.mimo_o, args.mimo_o + head_rank * headdim, rank * headdim, mixer_block);
  }
  if (args.norm != nullptr) fetch<whole>(shared + at.norm, args.norm + head * headdim, headdim, mixer_block);
  let_next_start();
  if (thread == 0)
    prefetch_share({args.next, args.next_bytes}, blockIdx.y * gridDim.x + blockIdx.x, gridDim.x * gridDim.y);
  wait_for_previous();

  const std::size_t sequence = static_cast<std::size_t>(b) * args.stride;
  const auto projected = [&](const float* piece, int i) {
    const float value = piece[sequence + i];
    return parts ? value + piece[sequence + i + args.second_part] : value;
  };
  const float dt = args.dt[head_index];
  const float log_alpha = args.a[head_index] * dt;
  const float rest = args.rest[head_index];
  const float lambda = args.lambda[head_index];
  const float turn = angle_index < args.angles ? args.turn[b * args.angles + source] : 0.0F;
  // The last warps have no key to norm, unless there are many: the values are theirs.
  const int p = mixer_block - 1 - thread;
  float x = 0.0F, z = 0.0F;
  if (p < headdim) {
    x = projected(args.x, head * headdim + p);
    z = projected(args.z, head * headdim + p);
  }
  // A warp for each key and query: RMSNorm now, bias and rotation behind the barrier.
  const int group = head / (args.heads / args.groups);
  const int pairs = d_state / 2;
  NormedPairs<pairs_per_lane> normed, last;
  const auto load_vector = [&](int vector) {
    const float* in = vector % 2 == 1 ? args.c : args.b;
    normed.load(in + sequence + (vector / 2 * args.groups + group) * d_state, d_state, args.half_pairs);
  };
  // The last keys by other warps than turn angles or bring values, as far as there are any: one each.
  const int last_rank = warp < 4 ? warp + 2 : warp < 6 ? warp - 4 : warp;
  const bool has_last = again && last_rank < rank;
  const bool known = again && args.last_keys.known[1] != 0;
  if (warp < 2 * rank) load_vector(warp);
  if (has_last) {
    const float* in = args.last_keys.last + ((b * rank + last_rank) * args.groups + group) * d_state;
    last.load(in, d_state, args.half_pairs);
    normed.norm(d_state);  // of both at once, since each waits for its lanes
    last.norm(d_state);
  } else if (warp < 2 * rank) {
    normed.norm(d_state);
  }
  const float alpha = expf(log_alpha);
  const float beta = rest * dt * alpha;
  const float gamma = lambda * dt;
  if (angle_index < pairs) {
    float sine = 0.0F, cosine = 1.0F;
    if (again) {
      if (angle_index < args.angles) turned_by(phase.angle, sine, cosine);
      shared[at.last_sine + angle_index] = sine;
      shared[at.last_cosine + angle_index] = cosine;
      sine = 0.0F;
      cosine = 1.0F;
    }
    if (angle_index < args.angles) {
      Rounded advance = advance_of(turn, dt);
      if (changes.pairs != nullptr) {
        arrived();
        advance = changed_advance({shared[at.sine + angle_index], shared[at.cosine + angle_index]}, advance);
      }
      phase = advanced(phase, advance);
      if constexpr (split == 1) {
        args.angle[phase_at] = phase.angle;
        args.turns[phase_at] = phase.turns;
      }
      turned_by(phase.angle, sine, cosine);
    }
    shared[at.sine + angle_index] = sine;
    shared[at.cosine + angle_index] = cosine;
  }
  if (p < headdim) {
    shared[at.x + p] = x;
    shared[at.z + p] = z;
  }
  arrived();
  __syncthreads();

  for (int j = mixer_block - 1 - thread; j < rank * headdim; j += mixer_block) {
    const int r = j / headdim, i = j - r * headdim;
    const float mix = mimo ? shared[at.mimo_x + j] : 1.0F;
    float2 value = make_float2(beta * shared[at.x_prev + i] * mix, gamma * shared[at.x + i] * mix);
    if (changes.ranks != nullptr) {
      const Affine<float> write = changes.ranks[head_index * rank + r].write;
      value = make_float2(fmaf(write.scale, value.x, beta * write.offset),
                          fmaf(write.scale, value.y, gamma * write.offset));
    }
    *reinterpret_cast<float2*>(shared + at.values + 2 * j) = value;
  }
  for (int vector = warp; vector < 2 * rank; vector += mixer_warps) {
    if (vector != warp) {
      load_vector(vector);
      normed.norm(d_state);
    }
    const bool query = vector % 2 == 1;
    const float* weight = shared + (query ? at.c_norm : at.b_norm);
    const int r = vector / 2;
    Affine<float> change;
    if (changes.ranks != nullptr) {
      const RankChange& of_rank = changes.ranks[head_index * rank + r];
      change = query ? of_rank.c_bias : of_rank.b_bias;
    }
    float* out = shared + (query ? at.q : at.k) + r * d_state;
    float* const cache = args.k_prev + static_cast<std::size_t>((b * rank + r) * args.heads + head) * d_state;
#pragma unroll
    for (int j = 0; j < pairs_per_lane; ++j) {
      const int i = thread % warp_size + j * warp_size;
      if (i >= pairs) continue;
      const int2 channel = pair_channels(i, pairs, args.half_pairs);
      // `out` holds the bias so far.
      const float2 turned = turned_pair(normed.u[j], normed.v[j], make_float2(weight[channel.x], weight[channel.y]),
                                        make_float2(fmaf(change.scale, out[channel.x], change.offset),
                                                    fmaf(change.scale, out[channel.y], change.offset)),
                                        shared[at.sine + i], shared[at.cosine + i]);
      out[channel.x] = turned.x;
      out[channel.y] = turned.y;
      if (split == 1 && !query && !again) {
        cache[channel.x] = turned.x;
        cache[channel.y] = turned.y;
      }
    }
  }
  if (has_last) {
    float* const out = shared + at.k_prev + last_rank * d_state;
    const float* const cache =
        args.k_prev + static_cast<std::size_t>((b * rank + last_rank) * args.heads + head) * d_state;
#pragma unroll
    for (int j = 0; j < pairs_per_lane; ++j) {
      const int i = thread % warp_size + j * warp_size;
      if (i >= pairs) continue;
      const int2 channel = pair_channels(i, pairs, args.half_pairs);
      float2 key;
      if (known) {
        key = turned_pair(
            last.u[j], last.v[j], make_float2(shared[at.b_norm + channel.x], shared[at.b_norm + channel.y]),
            make_float2(out[channel.x], out[channel.y]), shared[at.last_sine + i], shared[at.last_cosine + i]);
      } else {
        key = make_float2(cache[channel.x], cache[channel.y]);
      }
      out[channel.x] = key.x;
      out[channel.y] = key.y;
    }
  }
  __syncthreads();

  // The pass over the state. All lanes of a warp make the same number of rounds: the sums need them.
  constexpr int kept_ranks = known_rank > 0 ? known_rank : 1;
  float2 squares[2] = {};  // of the first and the second half of the rows
#pragma unroll 1
  for (int first = first_row; first < end_row; first += held * rows_at_once) {
    const int round = (first - first_row) / rows_at_once % rounds;
    float2 row_squares = make_float2(0.0F, 0.0F);
    if (!one_chunk && first > first_row && round == 0) {
      fetch_rows(first);
      arrived();
    }
    const float2* values[held];
    float2 kept[kept_ranks][held];
#pragma unroll
    for (int j = 0; j < held; ++j) {
      values[j] = reinterpret_cast<const float2*>(shared + at.values) +
                  (whole ? first + j * rows_at_once + thread / lanes
                         : min(first + j * rows_at_once + thread / lanes, headdim - 1));
#pragma unroll
      for (int r = 0; r < kept_ranks; ++r) kept[r][j] = values[j][r * headdim];
    }
    // With known ranks what is read out is summed on the way; otherwise the rows wait for it.
    constexpr bool at_once = known_rank > 0 && known_rank * held <= lanes;
    float sums[at_once ? known_rank * held : 1] = {};
    float4 waiting[at_once ? 1 : held][at_once ? 1 : quads];
    const auto read_out_quad = [&](int r, int quad, const float4& n, float sum) {
      const float4 q = *reinterpret_cast<const float4*>(shared + at.q + r * d_state + 4 * quad);
      return fmaf(n.x, q.x, fmaf(n.y, q.y, fmaf(n.z, q.z, fmaf(n.w, q.w, sum))));
    };
    // Rolled up: a step meets this code once, and what is short is soon in the instruction cache.
#pragma unroll(at_once ? 1 : quads)
    for (int c = 0; c < quads; ++c) {
      const int quad = whole ? lane + c * lanes : min(lane + c * lanes, row_quads - 1);
      float4 old[held], now[held];
#pragma unroll
      for (int j = 0; j < held; ++j) {
        old[j] = chunk[((round + j) * quads + c) * mixer_block + thread].values();
        now[j] = make_float4(alpha * old[j].x, alpha * old[j].y, alpha * old[j].z, alpha * old[j].w);
      }
#pragma unroll
      for (int r = 0; r < rank; ++r) {
        const float4 k_prev = *reinterpret_cast<const float4*>(shared + at.k_prev + r * d_state + 4 * quad);
        const float4 k = *reinterpret_cast<const float4*>(shared + at.k + r * d_state + 4 * quad);
#pragma unroll
        for (int j = 0; j < held; ++j) {
          const float2 value = known_rank > 0 ? kept[r % kept_ranks][j] : values[j][r * headdim];
          float4& n = now[j];
          n.x = fmaf(value.y, k.x, fmaf(value.x, k_prev.x, n.x));
          n.y = fmaf(value.y, k.y, fmaf(value.x, k_prev.y, n.y));
          n.z = fmaf(value.y, k.z, fmaf(value.x, k_prev.z, n.z));
          n.w = fmaf(value.y, k.w, fmaf(value.x, k_prev.w, n.w));
        }
      }
#pragma unroll
      for (int j = 0; j < held; ++j) {
        const int row = first + j * rows_at_once + thread / lanes;
        float4& n = now[j];
        if (whole || (row < headdim && lane + c * lanes < row_quads)) {
          store_quad<parts && known_rank != 1>(h + row * row_quads + quad, Quad<S>::of(n));
          const float4 d = make_float4(n.x - old[j].x, n.y - old[j].y, n.z - old[j].z, n.w - old[j].w);
          row_squares.x = fmaf(n.x, n.x, fmaf(n.y, n.y, fmaf(n.z, n.z, fmaf(n.w, n.w, row_squares.x))));
          row_squares.y = fmaf(d.x, d.x, fmaf(d.y, d.y, fmaf(d.z, d.z, fmaf(d.w, d.w, row_squares.y))));
        } else {
          n = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
        }
      }
#pragma unroll
      for (int j = 0; j < held; ++j) {
        if constexpr (at_once) {
#pragma unroll
          for (int r = 0; r < known_rank; ++r) sums[r * held + j] = read_out_quad(r, quad, now[j], sums[r * held + j]);
        } else {
          waiting[j][c] = now[j];
        }
      }
    }
    float2& half = squares[split == 1 && 2 * first >= headdim ? 1 : 0];
    half.x += row_squares.x;
    half.y += row_squares.y;
    const auto store_sums = [&](auto& values, int first_rank) {
      constexpr int lanes_each = lanes / static_cast<int>(std::extent_v<std::remove_reference_t<decltype(values)>>);
      const float sum = sum_each<lanes>(values);
      const int row = first + lane / lanes_each % held * rows_at_once + thread / lanes;
      const int r = first_rank + lane / lanes_each / held;
      if (lane % lanes_each == 0 && (whole || row < headdim)) shared[at.y + r * headdim + row] = sum;
    };
    if constexpr (at_once) {
      store_sums(sums, 0);
    } else {
      for (int r = 0; r < rank; ++r) {
        float rows[held] = {};
#pragma unroll
        for (int c = 0; c < quads; ++c) {
          const int quad = whole ? lane + c * lanes : min(lane + c * lanes, row_quads - 1);
#pragma unroll
          for (int j = 0; j < held; ++j) rows[j] = read_out_quad(r, quad, waiting[j][c], rows[j]);
        }
        store_sums(rows, r);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    float both[2] = {squares[i].x, squares[i].y};
    const float sum = sum_each<warp_size>(both);
    if (thread % warp_size == 0) warp_sums[i * mixer_warps + warp].x = sum;
    if (thread % warp_size == warp_size / 2) warp_sums[i * mixer_warps + warp].y = sum;
  }
  __syncthreads();

  const auto read_out = [&](int r, int i) {
    const float mix = mimo ? shared[at.mimo_x + r * headdim + i] : 1.0F;
    const float y = fmaf(skip * shared[at.x + i], mix, shared[at.y + r * headdim + i]);
    return changes.ranks == nullptr ? y : changed(changes.ranks[late(head_index) * rank + r].read, y);
  };
  if (args.norm != nullptr) {
    for (int r = warp; r < rank; r += mixer_warps) {
      float sum = 0.0F;
      for (int i = thread % warp_size; i < headdim; i += warp_size) {
        const float y = read_out(r, i);
        sum = fmaf(y, y, sum);
      }
      sum = sum_lanes(sum);
      if (thread % warp_size == 0) {
        rank_scale[r] = __frsqrt_rn(sum / static_cast<float>(headdim) + static_cast<float>(norm_epsilon));
      }
    }
    __syncthreads();
  }
  // Each rank's output in its place, then their sum.
  const int rows = headdim / split;
#pragma unroll 1
  for (int j = mixer_block - 1 - thread; j < rank * rows; j += mixer_block) {
    const int r = j / rows, row = first_row + j - r * rows, i = r * headdim + row;
    float y = read_out(r, row);
    if (args.norm != nullptr) y = y * rank_scale[r] * shared[at.norm + row];
    const float gate = mimo ? shared[at.mimo_z + i] * shared[at.z + row] : shared[at.z + row];
    y *= silu(gate);
    shared[at.y + i] = mimo ? shared[at.mimo_o + i] * y : y;
  }
  if (rank > 1 || split > 1) __syncthreads();
  if (p >= first_row && p < end_row) {
    float out = shared[at.y + p];
    for (int r = 1; r < rank; ++r) out += shared[at.y + r * headdim + p];
    if (changes.heads != nullptr) out = changed(changes.heads[late(head_index)].output, out);
    const std::size_t to = static_cast<std::size_t>(head_index) * headdim + p;
    if constexpr (parts) {
      store_parts(args.out_parts, to, static_cast<std::size_t>(args.batch) * args.heads * headdim, out);
    } else {
      args.out[to] = out;
    }
    args.x_prev[to] = x;
  }

  // What both halves of a head have read is written by the first, and not before the second has read it.
  float2 sum = make_float2(0.0F, 0.0F);
  if (thread == 0) {
    float2 other = make_float2(0.0F, 0.0F);
    for (int w = 0; w < mixer_warps; ++w) {
      sum = make_float2(sum.x + warp_sums[w].x, sum.y + warp_sums[w].y);
      other = make_float2(other.x + warp_sums[mixer_warps + w].x, other.y + warp_sums[mixer_warps + w].y);
    }
    if (split == 1) sum = make_float2(sum.x + other.x, sum.y + other.y);
  }
  if constexpr (split > 1) {
    float2* const half_squares = reinterpret_cast<float2*>(args.half_squares) + head_index;
    if (part > 0 && thread == 0) *half_squares = sum;
    cluster_arrive();
    cluster_wait();
    if (part > 0) return;
    if (thread == 0) sum = make_float2(sum.x + half_squares->x, sum.y + half_squares->y);
    if (angle_index < args.angles) {
      args.angle[phase_at] = phase.angle;
      args.turns[phase_at] = phase.turns;
    }
#pragma unroll 1
    for (int i = thread; i < rank * row_quads; i += mixer_block) {
      const int r = i / row_quads, quad = i - r * row_quads;
      float4* const cache = reinterpret_cast<float4*>(args.k_prev) + ((b * rank + r) * args.heads + head) * row_quads;
      cache[quad] = reinterpret_cast<const float4*>(shared + at.k)[i];
    }
  }
  if (thread == 0) {
    args.alpha[head_index] = alpha;
    args.beta[head_index] = beta;
    args.gamma[head_index] = gamma;
    args.state_norm[head_index] = sqrtf(sum.x);
    args.state_change[head_index] = sqrtf(sum.y);
  }
}

}  // namespace kernels::device
