// What stands around the recurrence of a prefill, a token at a time: coefficients, norms of B and C, angles, readout.
#include "kernels/device/activation.cuh"
#include "kernels/device/reduce.cuh"
#include "kernels/fused/coefficient_rows.cuh"
#include "kernels/norm/norm.h"
#include "kernels/prefill/device.h"
#include "kernels/prefill/projected.cuh"
#include "kernels/product/split.cuh"

#include <cuda_runtime.h>

#include <type_traits>

namespace kernels::device {

namespace {

constexpr int block_size = 256;
constexpr int block_warps = block_size / warp_size;
constexpr int segments = 16;  // of a piece's tokens, whose angles are summed side by side
constexpr int max_headdim = 256;
constexpr double two_pi = 6.283185307179586;

// A block a token. A warp a vector of B or C.
__global__ void __launch_bounds__(block_size)
    coefficients_kernel(const PrefillArgs<float> args, const CoefficientRows rows) {
  constexpr int most = 256 / warp_size;  // channels of a lane
  const int t = static_cast<int>(blockIdx.x);
  const std::size_t token = static_cast<std::size_t>(t) * args.stride;
  for (int row = static_cast<int>(threadIdx.x); row < 3 * rows.heads + rows.angles; row += block_size) {
    store_coefficient(rows, row, t, args.raw[static_cast<std::size_t>(t) * args.raw_stride + row]);
  }
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const int of_kind = args.rank * args.groups;
  for (int vector = static_cast<int>(threadIdx.x) / warp_size; vector < 2 * of_kind; vector += block_warps) {
    const bool query = vector >= of_kind;
    const float* in = (query ? args.c : args.b);
    const std::size_t first = token + static_cast<std::size_t>(vector - (query ? of_kind : 0)) * args.d_state;
    const float* weight = query ? args.c_norm : args.b_norm;
    float values[most];
    float squares = 0.0F;
#pragma unroll
    for (int i = 0; i < most; ++i) {
      const int n = lane + i * warp_size;
      values[i] = n < args.d_state ? projected_value(in, first + n, args.second_part) : 0.0F;
      squares = fmaf(values[i], values[i], squares);
    }
    const float mean = sum_lanes(squares) / static_cast<float>(args.d_state);
    const float scale = 1.0F / sqrtf(mean + static_cast<float>(norm_epsilon));
    float* out = args.normed + (static_cast<std::size_t>(t) * 2 * of_kind + vector) * args.d_state;
#pragma unroll
    for (int i = 0; i < most; ++i) {
      const int n = lane + i * warp_size;
      if (n < args.d_state) out[n] = values[i] * scale * weight[n];
    }
  }
}

// A block 32 angles of a head, a lane each; a warp sums its segment of the tokens, then adds the segments before it.
__global__ void __launch_bounds__(segments* warp_size) angles_kernel(const PrefillArgs<float> args) {
  __shared__ double sums[segments][warp_size];
  const int head = static_cast<int>(blockIdx.x);
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const int segment = static_cast<int>(threadIdx.x) / warp_size;
  const int i = static_cast<int>(blockIdx.y) * warp_size + lane;
  const bool present = i < args.angles;
  const int length = (args.tokens + segments - 1) / segments;
  const int begin = min(segment * length, args.tokens), end = min(begin + length, args.tokens);
  const auto advance = [&](int t) {
    return static_cast<double>(args.turn[static_cast<std::size_t>(t) * args.angles + i]) *
           static_cast<double>(args.dt[static_cast<std::size_t>(t) * args.heads + head]);
  };
  const std::size_t state = static_cast<std::size_t>(head) * args.angles + i;
  double sum = 0.0, start = 0.0;
  if (present) {
#pragma unroll 4
    for (int t = begin; t < end; ++t) sum += advance(t);
    start = args.angle[state];
  }
  sums[segment][lane] = sum;
  __syncthreads();
  if (!present) return;
  sum = start;
  for (int s = 0; s < segment; ++s) sum += sums[s][lane];
#pragma unroll 4
  for (int t = begin; t < end; ++t) {
    sum += advance(t);
    double whole = floor(sum / two_pi);
    float angle = fmaxf(static_cast<float>(sum - whole * two_pi), 0.0F);
    if (angle >= static_cast<float>(two_pi)) {  // rounded up to the next turn
      angle = 0.0F;
      whole += 1.0;
    }
    float2 turned;
    sincosf(angle, &turned.y, &turned.x);
    reinterpret_cast<float2*>(args.turned)[(static_cast<std::size_t>(t) * args.heads + head) * args.angles + i] =
        turned;
    if (t + 1 < args.tokens) continue;
    args.angle[state] = angle;
    args.turns[state] += static_cast<int>(whole);
  }
}

// A warp a head of a token; a lane holds `pieces` of the head's rows.
template <int pieces>
__global__ void __launch_bounds__(block_size) readout_kernel(const PrefillArgs<float> args) {
  const int head = static_cast<int>(blockIdx.x) * block_warps + static_cast<int>(threadIdx.x) / warp_size;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::size_t t = blockIdx.y;
  if (head >= args.heads) return;
  const int headdim = args.headdim;
  float x[pieces], z[pieces], sum[pieces];
  const float d = args.d[head];
#pragma unroll
  for (int i = 0; i < pieces; ++i) {
    const int p = lane + i * warp_size;
    const std::size_t at = t * args.stride + head * headdim + p;
    x[i] = p < headdim ? projected_value(args.x, at, args.second_part) : 0.0F;
    z[i] = p < headdim ? projected_value(args.z, at, args.second_part) : 0.0F;
    sum[i] = 0.0F;
  }
  for (int r = 0; r < args.rank; ++r) {
    const std::size_t weights = static_cast<std::size_t>(head * args.rank + r) * headdim;
    const float* read = args.read + ((t * args.rank + r) * args.heads + head) * headdim;
    float y[pieces];
    float squares = 0.0F;
#pragma unroll
    for (int i = 0; i < pieces; ++i) {
      const int p = lane + i * warp_size;
      y[i] = 0.0F;
      if (p < headdim) y[i] = fmaf(d * x[i], args.mimo_x == nullptr ? 1.0F : args.mimo_x[weights + p], read[p]);
      squares = fmaf(y[i], y[i], squares);
    }
    float scale = 1.0F;
    if (args.norm != nullptr) {
      const float mean = sum_lanes(squares) / static_cast<float>(headdim);
      scale = 1.0F / sqrtf(mean + static_cast<float>(norm_epsilon));
    }
#pragma unroll
    for (int i = 0; i < pieces; ++i) {
      const int p = lane + i * warp_size;
      if (p >= headdim) continue;
      const float value = args.norm == nullptr ? y[i] : y[i] * scale * args.norm[head * headdim + p];
      const float gate = args.mimo_z == nullptr ? z[i] : args.mimo_z[weights + p] * z[i];
      sum[i] = fmaf(args.mimo_o == nullptr ? 1.0F : args.mimo_o[weights + p], value * silu(gate), sum[i]);
    }
  }
#pragma unroll
  for (int i = 0; i < pieces; ++i) {
    const int p = lane + i * warp_size;
    if (p >= headdim) continue;
    const std::size_t at = (t * args.heads + head) * headdim + p;
    if (args.parts != nullptr) {
      store_parts(args.parts, at, args.part_distance, sum[i]);
    } else {
      args.out[at] = sum[i];
    }
  }
}

}  // namespace

int prefill_coefficients(const PrefillArgs<float>& args, const CoefficientRows& rows, StreamHandle stream) {
  if (args.d_state > 256) return cudaErrorInvalidValue;
  coefficients_kernel<<<static_cast<unsigned>(args.tokens), block_size, 0, stream>>>(args, rows);
  return cudaGetLastError();
}

int prefill_angles(const PrefillArgs<float>& args, StreamHandle stream) {
  if (args.angles == 0) return cudaSuccess;
  const dim3 grid(static_cast<unsigned>(args.heads), static_cast<unsigned>((args.angles + warp_size - 1) / warp_size));
  angles_kernel<<<grid, segments * warp_size, 0, stream>>>(args);
  return cudaGetLastError();
}

int prefill_readout(const PrefillArgs<float>& args, StreamHandle stream) {
  if (args.headdim > max_headdim) return cudaErrorInvalidValue;
  const dim3 grid(static_cast<unsigned>((args.heads + block_warps - 1) / block_warps),
                  static_cast<unsigned>(args.tokens));
  const auto launch = [&](auto pieces) {
    readout_kernel<decltype(pieces)::value><<<grid, block_size, 0, stream>>>(args);
  };
  if (args.headdim <= 32) {
    launch(std::integral_constant<int, 1>{});
  } else if (args.headdim <= 64) {
    launch(std::integral_constant<int, 2>{});
  } else if (args.headdim <= 128) {
    launch(std::integral_constant<int, 4>{});
  } else {
    launch(std::integral_constant<int, 8>{});
  }
  return cudaGetLastError();
}

}  // namespace kernels::device
