// The recurrence of a prefill. A block takes 32 rows of one head's state and keeps them in registers, as fragments of tensor
// core products, while it walks over the chunks of the text. For each chunk the block rotates its keys and queries into
// shared memory (64 rows of tokens and ranks), multiplies queries by keys, weighs the scores by decay and by what each token
// writes, and adds scores times values to queries times state; then the state takes the chunk's keys and values. All products
// are multiply_split: fp32 in, fp32 out.
#include "kernels/prefill/device.h"
#include "kernels/prefill/mma.cuh"
#include "kernels/prefill/projected.cuh"
#include "kernels/rotate/channels.cuh"

#include <cuda_bf16.h>
#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int block_size = 512, block_warps = block_size / 32;
constexpr int chunk_rows = prefill_rows;  // (token, rank) pairs
constexpr int values = 32;                // rows of the state that a block takes
// Row lengths in shared memory, so that no two lanes of a fragment's load meet in a bank.
constexpr int value_pitch = values + 4, score_pitch = chunk_rows + 8;
constexpr int key_pitch(int channels) { return channels + 4; }

constexpr std::size_t shared_floats(int channels) {
  return static_cast<std::size_t>((2 * chunk_rows + values) * key_pitch(channels) + chunk_rows * value_pitch +
                                  chunk_rows * score_pitch);
}

// Which token of its chunk and which rank a row is.
struct Rows {
  int token[chunk_rows], rank[chunk_rows];
};

// What weighs the rows of a chunk; rows beyond its end weigh nothing.
struct Weights {
  double tokens[chunk_rows];  // sum of A dt from the chunk's first token on
  double decay[chunk_rows];   // of the row's token
  float begin[chunk_rows];    // exp of it: what is left of the state before the chunk
  float later[chunk_rows];    // w: for later tokens
  float same[chunk_rows];     // gamma: for its own token
  float end[chunk_rows];      // what of it is left at the chunk's end
  int token[chunk_rows];
  float whole;  // what is left of the state at the chunk's end
};

struct Block {
  int head, group, first_row, warp, lane;
};

// By one warp; all it loads is queued before the first is waited for.
__device__ void weigh(const PrefillArgs<float>& args, const Block& block, int first, int count, Weights& w) {
  const auto at = [&](int t) { return static_cast<std::size_t>(t) * args.heads + block.head; };
  const int last = first + count - 1;
  float a[2], dt[2];                                     // of tokens 2 lane and 2 lane + 1
  float lambda[2], dt_now[2], dt_next[2], rest_next[2];  // of rows lane and lane + 32
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int t = min(first + 2 * block.lane + i, last);
    a[i] = args.a[at(t)];
    dt[i] = args.dt[at(t)];
    const int of_row = min(first + (block.lane + 32 * i) / args.rank, last);
    const int next = min(of_row + 1, args.tokens - 1);
    lambda[i] = args.lambda[at(of_row)];
    dt_now[i] = args.dt[at(of_row)];
    dt_next[i] = args.dt[at(next)];
    rest_next[i] = args.rest[at(next)];
  }
  double sums[2];
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    sums[i] = 2 * block.lane + i < count ? static_cast<double>(a[i]) * static_cast<double>(dt[i]) : 0.0;
  }
  double both = sums[0] + sums[1];
  for (int offset = 1; offset < 32; offset *= 2) {
    const double before = __shfl_up_sync(0xffffffffU, both, offset);
    if (block.lane >= offset) both += before;
  }
  const double before = __shfl_up_sync(0xffffffffU, both, 1);
  w.tokens[2 * block.lane] = (block.lane == 0 ? 0.0 : before) + sums[0];
  w.tokens[2 * block.lane + 1] = both;
  __syncwarp();
  const double end = w.tokens[count - 1];
  if (block.lane == 0) w.whole = expf(static_cast<float>(end));
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    const int row = block.lane + 32 * i;
    const int token = row / args.rank;
    const bool there = token < count;
    const double decay = there ? w.tokens[token] : end;
    const float gamma = there ? lambda[i] * dt_now[i] : 0.0F;
    // The last token's other part is written by the step or the piece that follows.
    const float later = there && first + token + 1 < args.tokens ? fmaf(dt_next[i], rest_next[i], gamma) : gamma;
    w.token[row] = token;
    w.decay[row] = decay;
    w.begin[row] = expf(static_cast<float>(decay));
    w.same[row] = gamma;
    w.later[row] = later;
    w.end[row] = later * expf(static_cast<float>(end - decay));
  }
}

// Keys and queries of the chunk's tokens: bias, rotation. A thread has one pair of channels, and a few rows under way at a
// time, all of whose loads are queued before the first is waited for. Offsets fit 32 bits.
template <int channels>
__device__ void rotate_chunk(const PrefillArgs<float>& args, const Block& block, const Rows& of, int first, int rows,
                             float* queries, float* keys) {
  constexpr int most_pairs = channels / 2, pitch = key_pitch(channels), at_once = 4, step = block_size / most_pairs;
  const int pairs = args.d_state / 2, i = static_cast<int>(threadIdx.x) % most_pairs;
  if (i >= pairs) return;
  const int2 at = pair_channels(i, pairs, args.half_pairs);
  const bool turns = i < args.angles;
  const int kind = args.rank * args.groups * args.d_state;  // floats from B to C
  const float* const b_of = args.normed + first * 2 * kind + block.group * args.d_state;
  const float2* const turned =
      reinterpret_cast<const float2*>(args.turned) + (first * args.heads + block.head) * args.angles + i;
  const int biases = block.head * args.rank * args.d_state;
  const float *const b_bias_of = args.b_bias + biases, *const c_bias_of = args.c_bias + biases;
  for (int begin = static_cast<int>(threadIdx.x) / most_pairs; begin < rows; begin += at_once * step) {
    float2 turn[at_once], b[at_once], c[at_once], b_bias[at_once], c_bias[at_once];
#pragma unroll
    for (int u = 0; u < at_once; ++u) {
      const int row = min(begin + u * step, rows - 1), token = of.token[row], r = of.rank[row];
      turn[u] = turns ? __ldg(turned + token * args.heads * args.angles) : make_float2(1.0F, 0.0F);
      const float* const from = b_of + token * 2 * kind + r * args.groups * args.d_state;
      b[u] = make_float2(__ldg(from + at.x), __ldg(from + at.y));
      c[u] = make_float2(__ldg(from + kind + at.x), __ldg(from + kind + at.y));
      const int bias = r * args.d_state;
      b_bias[u] = make_float2(__ldg(b_bias_of + bias + at.x), __ldg(b_bias_of + bias + at.y));
      c_bias[u] = make_float2(__ldg(c_bias_of + bias + at.x), __ldg(c_bias_of + bias + at.y));
    }
#pragma unroll
    for (int u = 0; u < at_once; ++u) {
      const int row = begin + u * step;
      if (row >= rows) break;
      const float k_first = b[u].x + b_bias[u].x, k_second = b[u].y + b_bias[u].y;
      const float q_first = c[u].x + c_bias[u].x, q_second = c[u].y + c_bias[u].y;
      keys[row * pitch + at.x] = k_first * turn[u].x - k_second * turn[u].y;
      keys[row * pitch + at.y] = k_first * turn[u].y + k_second * turn[u].x;
      queries[row * pitch + at.x] = q_first * turn[u].x - q_second * turn[u].y;
      queries[row * pitch + at.y] = q_first * turn[u].y + q_second * turn[u].x;
    }
  }
}

// The values of the chunk's rows, from memory to a thread's registers and from there to shared memory.
struct Values {
  static constexpr int count = chunk_rows * values / block_size;
  float of[count];

  __device__ void load(const PrefillArgs<float>& args, const Block& block, const Rows& rows, int first, int present) {
    const int p = block.first_row + static_cast<int>(threadIdx.x) % values;
    const float* const x = args.x + static_cast<std::size_t>(first) * args.stride + block.head * args.headdim + p;
    const float* const mimo_x =
        args.mimo_x == nullptr ? nullptr : args.mimo_x + block.head * args.rank * args.headdim + p;
    float mix[count], second[count];
#pragma unroll
    for (int u = 0; u < count; ++u) {
      const int row = static_cast<int>(threadIdx.x) / values + u * (block_size / values);
      of[u] = second[u] = 0.0F;
      mix[u] = 1.0F;
      if (row >= present || p >= args.headdim) continue;
      const int at = rows.token[row] * args.stride;
      of[u] = __ldg(x + at);
      if (args.second_part != 0) second[u] = __ldg(x + args.second_part + at);
      if (mimo_x != nullptr) mix[u] = __ldg(mimo_x + rows.rank[row] * args.headdim);
    }
#pragma unroll
    for (int u = 0; u < count; ++u) of[u] = (of[u] + second[u]) * mix[u];
  }
  __device__ void store(float* to) const {
#pragma unroll
    for (int u = 0; u < count; ++u) {
      const int item = static_cast<int>(threadIdx.x) + u * block_size;
      to[item / values * value_pitch + item % values] = of[u];
    }
  }
};

// Which 16 rows of the chunk a warp takes and which quarter of something: a scheduler's warps have heavy and light rows.
struct Share {
  int rows, quarter;
  __device__ explicit Share(int warp) : rows((warp / 4) % 2 == 0 ? warp % 4 : 3 - warp % 4), quarter(warp / 4) {}
};

// How many of the chunk's groups of 8 columns the 16 rows can see: those with a token that is not later.
__device__ __forceinline__ int seen_groups(const Weights& w, int rows) {
  const int last = w.token[rows * 16 + 15];
  int groups = 0;
  while (groups < chunk_rows / 8 && w.token[groups * 8] <= last) ++groups;
  return groups;
}

template <int channels>
__device__ void score(const Share& share, const Block& block, const Weights& w, const float* queries, const float* keys,
                      float* scores) {
  constexpr int pitch = key_pitch(channels);
  const int g = block.lane / 4, j = block.lane % 4;
  const int mine = (seen_groups(w, share.rows) - share.quarter + 3) / 4;  // of every fourth group of columns
  float sums[2][4] = {};
  const float* q = queries + (share.rows * 16 + g) * pitch + j;
  const float* k = keys + (share.quarter * 8 + g) * pitch + j;
#pragma unroll 4
  for (int n = 0; n < channels; n += 8) {
    Split<4> a;
    a.set(0, q[n]);
    a.set(1, q[n + 8 * pitch]);
    a.set(2, q[n + 4]);
    a.set(3, q[n + 8 * pitch + 4]);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      if (i >= mine) break;
      Split<2> b;
      b.set(0, k[i * 32 * pitch + n]);
      b.set(1, k[i * 32 * pitch + n + 4]);
      multiply_split(sums[i], a, b);
    }
  }
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    if (i >= mine) break;
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int row = share.rows * 16 + g + (e / 2) * 8;
      const int column = (4 * i + share.quarter) * 8 + 2 * j + e % 2;
      float weight = 0.0F;
      if (w.token[column] < w.token[row]) {
        weight = w.later[column] * expf(static_cast<float>(w.decay[row] - w.decay[column]));
      } else if (w.token[column] == w.token[row]) {
        weight = w.same[column];
      }
      scores[row * score_pitch + column] = sums[i][e] * weight;
    }
  }
}

// y of 16 rows and 8 of the block's values.
template <int channels>
__device__ void read_chunk(const PrefillArgs<float>& args, const Share& share, const Block& block, const Weights& w,
                           int first, int count, const float* queries, const float* state, const float* of_tokens,
                           const float* scores) {
  constexpr int pitch = key_pitch(channels);
  const int g = block.lane / 4, j = block.lane % 4;
  float sums[2][4] = {};  // of even and odd products, so that they need not wait for each other
  const float* q = queries + (share.rows * 16 + g) * pitch + j;
  const float* m = state + (share.quarter * 8 + g) * pitch + j;
#pragma unroll 4
  for (int n = 0; n < channels; n += 8) {
    Split<4> a;
    a.set(0, q[n]);
    a.set(1, q[n + 8 * pitch]);
    a.set(2, q[n + 4]);
    a.set(3, q[n + 8 * pitch + 4]);
    Split<2> b;
    b.set(0, m[n]);
    b.set(1, m[n + 4]);
    multiply_split(sums[n / 8 % 2], a, b);
  }
  const int rows[2] = {share.rows * 16 + g, share.rows * 16 + g + 8};
#pragma unroll
  for (int e = 0; e < 4; ++e) sums[0][e] = (sums[0][e] + sums[1][e]) * w.begin[rows[e / 2]];
  const int groups = seen_groups(w, share.rows);
  const float* s = scores + rows[0] * score_pitch + 2 * j;
  const float* v = of_tokens + 2 * j * value_pitch + share.quarter * 8 + g;
  for (int group = 0; group < groups; ++group) {
    const float2 top = *reinterpret_cast<const float2*>(s + group * 8);
    const float2 bottom = *reinterpret_cast<const float2*>(s + group * 8 + 8 * score_pitch);
    Split<4> a;
    a.set(0, top.x);
    a.set(1, bottom.x);
    a.set(2, top.y);
    a.set(3, bottom.y);
    Split<2> b;
    b.set(0, v[group * 8 * value_pitch]);
    b.set(1, v[(group * 8 + 1) * value_pitch]);
    multiply_split(sums[0], a, b);
  }
  const int p = block.first_row + share.quarter * 8 + 2 * j;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int token = w.token[rows[half]];
    if (token >= count) continue;
    const int r = rows[half] - token * args.rank;
    float* out = args.read +
                 ((static_cast<std::size_t>(first + token) * args.rank + r) * args.heads + block.head) * args.headdim;
    if (p < args.headdim) out[p] = sums[0][2 * half];
    if (p + 1 < args.headdim) out[p + 1] = sums[0][2 * half + 1];
  }
}

// A warp holds 16 or all 32 rows of 8 or 16 channels of the state.
template <int channels>
struct State {
  static constexpr int tiles = channels / 8;                                    // of 8 channels
  static constexpr int halves = tiles < block_warps ? 1 : 2;                    // of the rows, that a warp holds
  static constexpr int groups = tiles < block_warps ? 1 : tiles / block_warps;  // of channels
  static constexpr int pitch = key_pitch(channels);
  static_assert(halves * groups * block_warps == 2 * tiles);
  float values[halves][groups][4];

  __device__ __forceinline__ static int first_row(const Block& block) {
    return halves == 2 ? 0 : block.warp / tiles * 16;
  }
  __device__ __forceinline__ static int first_channel(const Block& block) { return block.warp % tiles * groups * 8; }

  // Calls body(value, row, channel) for each cell that this lane holds; rows are those of the block.
  template <class Body>
  __device__ __forceinline__ void each(const Block& block, const Body& body) {
#pragma unroll
    for (int i = 0; i < halves; ++i) {
#pragma unroll
      for (int n = 0; n < groups; ++n) {
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          body(values[i][n][e], first_row(block) + i * 16 + block.lane / 4 + (e / 2) * 8,
               first_channel(block) + n * 8 + 2 * (block.lane % 4) + e % 2);
        }
      }
    }
  }

  __device__ void take(const Block& block, const Weights& w, int rows, const float* of_tokens, const float* keys) {
    const int g = block.lane / 4, j = block.lane % 4;
    float added[halves][groups][4] = {};  // by itself: sums of tensor cores are cut off, and a state lives long
    const float* v = of_tokens + first_row(block) + g;
    const float* k = keys + first_channel(block) + g;
#pragma unroll 2
    for (int row = 0; row < rows; row += 8) {
      const int one = row + 2 * j, two = one + 1;
      const float left[2] = {w.end[one], w.end[two]};
      Split<2> b[groups];
#pragma unroll
      for (int n = 0; n < groups; ++n) {
        b[n].set(0, k[one * pitch + n * 8]);
        b[n].set(1, k[two * pitch + n * 8]);
      }
#pragma unroll
      for (int i = 0; i < halves; ++i) {
        Split<4> a;
        a.set(0, v[one * value_pitch + i * 16] * left[0]);
        a.set(1, v[one * value_pitch + i * 16 + 8] * left[0]);
        a.set(2, v[two * value_pitch + i * 16] * left[1]);
        a.set(3, v[two * value_pitch + i * 16 + 8] * left[1]);
#pragma unroll
        for (int n = 0; n < groups; ++n) multiply_split(added[i][n], a, b[n]);
      }
    }
#pragma unroll
    for (int i = 0; i < halves; ++i) {
#pragma unroll
      for (int n = 0; n < groups; ++n) {
#pragma unroll
        for (int e = 0; e < 4; ++e) values[i][n][e] = fmaf(values[i][n][e], w.whole, added[i][n][e]);
      }
    }
  }
};

// h and what the last token before the text writes into the first step.
template <int channels>
__device__ void load_state(const PrefillArgs<float>& args, const Block& block, State<channels>& state) {
  const float write = args.dt[block.head] * args.rest[block.head];
  state.each(block, [&](float& value, int row, int n) {
    const int p = block.first_row + row;
    value = 0.0F;
    if (p >= args.headdim || n >= args.d_state) return;
    const std::size_t row_index = static_cast<std::size_t>(block.head) * args.headdim + p;
    const std::size_t at = row_index * args.d_state + n;
    value = args.h_bf16 == nullptr ? args.h[at] : __uint_as_float(static_cast<unsigned>(args.h_bf16[at]) << 16U);
    const float last = write * args.x_prev[row_index];
    for (int r = 0; r < args.rank; ++r) {
      const float mix = args.mimo_x == nullptr
                            ? 1.0F
                            : args.mimo_x[static_cast<std::size_t>(block.head * args.rank + r) * args.headdim + p];
      const float k = args.k_prev[static_cast<std::size_t>(r * args.heads + block.head) * args.d_state + n];
      value = fmaf(last * mix, k, value);
    }
  });
}

template <int channels>
__device__ void store_state(const PrefillArgs<float>& args, const Block& block, State<channels>& state) {
  state.each(block, [&](float& value, int row, int n) {
    const int p = block.first_row + row;
    if (p >= args.headdim || n >= args.d_state) return;
    const std::size_t at = (static_cast<std::size_t>(block.head) * args.headdim + p) * args.d_state + n;
    if (args.h_bf16 == nullptr) {
      args.h[at] = value;
    } else {
      args.h_bf16[at] = __bfloat16_as_ushort(__float2bfloat16_rn(value));
    }
  });
}

template <int channels>
__global__ void __launch_bounds__(block_size) chunks_kernel(const PrefillArgs<float> args) {
  extern __shared__ float shared[];
  __shared__ Weights w;
  __shared__ Rows rows;
  constexpr int pitch = key_pitch(channels);
  float* const queries = shared;
  float* const keys = queries + chunk_rows * pitch;
  float* const before = keys + chunk_rows * pitch;  // the state before the chunk
  float* const of_tokens = before + values * pitch;
  float* const scores = of_tokens + chunk_rows * value_pitch;
  const int head = static_cast<int>(blockIdx.x);
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const Block block{head, head / (args.heads / args.groups), static_cast<int>(blockIdx.y) * values, warp,
                    static_cast<int>(threadIdx.x) % 32};
  const Share share(warp);

  // Channels, rows and values that there are not stay zero.
  for (int i = static_cast<int>(threadIdx.x); i < static_cast<int>(shared_floats(channels)); i += block_size) {
    shared[i] = 0.0F;
  }
  if (threadIdx.x < chunk_rows) {
    rows.token[threadIdx.x] = static_cast<int>(threadIdx.x) / args.rank;
    rows.rank[threadIdx.x] = static_cast<int>(threadIdx.x) % args.rank;
  }
  State<channels> state;
  load_state(args, block, state);
  __syncthreads();

  const int chunk = prefill_chunk(args.rank);
  for (int first = 0; first < args.tokens; first += chunk) {
    const int count = min(chunk, args.tokens - first);
    state.each(block, [&](float& value, int row, int n) { before[row * pitch + n] = value; });
    Values of_chunk;
    of_chunk.load(args, block, rows, first, count * args.rank);
    if (warp == block_warps - 1) weigh(args, block, first, count, w);
    rotate_chunk<channels>(args, block, rows, first, count * args.rank, queries, keys);
    of_chunk.store(of_tokens);
    __syncthreads();
    score<channels>(share, block, w, queries, keys, scores);
    __syncthreads();
    read_chunk<channels>(args, share, block, w, first, count, queries, before, of_tokens, scores);
    state.take(block, w, count * args.rank, of_tokens, keys);
    if (first + count == args.tokens) {
      if (blockIdx.y == 0) {
        for (int i = static_cast<int>(threadIdx.x); i < args.rank * args.d_state; i += block_size) {
          const int r = i / args.d_state, n = i % args.d_state;
          args.k_last[static_cast<std::size_t>(r * args.heads + head) * args.d_state + n] =
              keys[((count - 1) * args.rank + r) * pitch + n];
        }
      }
      const int p = block.first_row + static_cast<int>(threadIdx.x);
      if (static_cast<int>(threadIdx.x) < values && p < args.headdim) {
        const std::size_t at = static_cast<std::size_t>(args.tokens - 1) * args.stride + head * args.headdim + p;
        args.x_prev[head * args.headdim + p] = projected_value(args.x, at, args.second_part);
      }
    }
    __syncthreads();
  }
  store_state(args, block, state);
}

template <int channels>
int launch(const PrefillArgs<float>& args, StreamHandle stream) {
  constexpr int bytes = static_cast<int>(sizeof(float) * shared_floats(channels));
  const auto allowed =
      cudaFuncSetAttribute(chunks_kernel<channels>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  if (allowed != cudaSuccess) return allowed;
  const dim3 grid(static_cast<unsigned>(args.heads), static_cast<unsigned>((args.headdim + values - 1) / values));
  chunks_kernel<channels><<<grid, block_size, bytes, stream>>>(args);
  if (const auto launched = cudaGetLastError(); launched != cudaSuccess) return launched;
  // Other blocks of a head read the keys before the text for as long as the kernel runs.
  return cudaMemcpyAsync(args.k_prev, args.k_last,
                         sizeof(float) * static_cast<std::size_t>(args.rank) * args.heads * args.d_state,
                         cudaMemcpyDeviceToDevice, stream);
}

}  // namespace

int prefill_chunks(const PrefillArgs<float>& args, StreamHandle stream) {
  if (args.rank < 1 || args.rank > 8 || args.d_state > 256 || args.tokens < 1) return cudaErrorInvalidValue;
  if (args.d_state <= 64) return launch<64>(args, stream);
  if (args.d_state <= 128) return launch<128>(args, stream);
  return launch<256>(args, stream);
}

std::size_t prefill_shared_bytes(int d_state) {
  return sizeof(Weights) + sizeof(Rows) +
         sizeof(float) * shared_floats(d_state <= 64    ? 64
                                       : d_state <= 128 ? 128
                                                        : 256);
}

}  // namespace kernels::device
