// A key or a query of one head from its piece of the input projection: RMSNorm, then weight, bias and rotation of its pairs
// of channels. A warp takes one; a lane holds some pairs, a stride of a warp apart. A key that is made again, in another
// kernel or at the next token, has the same bits. Device code only.
#pragma once

#include "kernels/device/reduce.cuh"
#include "kernels/norm/norm.h"
#include "kernels/rotate/channels.cuh"

#include <cuda_runtime.h>

namespace kernels::device {

template <int pairs_per_lane>
struct NormedPairs {
  float u[pairs_per_lane] = {}, v[pairs_per_lane] = {};  // the first and the second channel of each pair

  // Reads the vector `in` of `d_state` values.
  __device__ __forceinline__ void load(const float* in, int d_state, bool half_pairs) {
    const int pairs = d_state / 2;
#pragma unroll
    for (int j = 0; j < pairs_per_lane; ++j) {
      const int i = static_cast<int>(threadIdx.x) % warp_size + j * warp_size;
      if (i < pairs) {
        const int2 channel = pair_channels(i, pairs, half_pairs);
        u[j] = in[channel.x];
        v[j] = in[channel.y];
      }
    }
  }
  // All lanes of a warp come.
  __device__ __forceinline__ void norm(int d_state) {
    float squares = 0.0F;
#pragma unroll
    for (int j = 0; j < pairs_per_lane; ++j) squares = fmaf(u[j], u[j], fmaf(v[j], v[j], squares));
    const float mean = sum_lanes(squares) / static_cast<float>(d_state);
    const float scale = __frsqrt_rn(mean + static_cast<float>(norm_epsilon));
#pragma unroll
    for (int j = 0; j < pairs_per_lane; ++j) {
      u[j] *= scale;
      v[j] *= scale;
    }
  }
};

// A pair of channels: normed values u and v, the norm's weights, biases, then turned by the angle with this sine and cosine.
__device__ __forceinline__ float2 turned_pair(float u, float v, float2 weight, float2 bias, float sine, float cosine) {
  const float s = fmaf(u, weight.x, bias.x);
  const float t = fmaf(v, weight.y, bias.y);
  return make_float2(s * cosine - t * sine, s * sine + t * cosine);
}

// Sine and cosine of an angle in [0, 2 pi] to about an ulp: less code than sincosf, which must expect any angle. Reduced to
// the nearest quarter turn, then polynomials on [-pi/4, pi/4] (Cephes' coefficients).
__device__ __forceinline__ void turned_by(float angle, float& sine, float& cosine) {
  const float quarter = rintf(angle * 0.63661975F);
  float x = fmaf(quarter, -1.57079637F, angle);  // pi/2 in two pieces
  x = fmaf(quarter, 4.37113883e-8F, x);
  const float x2 = x * x;
  const float s = fmaf(x * x2, fmaf(x2, fmaf(x2, -1.9515295891e-4F, 8.3321608736e-3F), -1.6666654611e-1F), x);
  const float c =
      fmaf(x2 * x2, fmaf(x2, fmaf(x2, 2.443315711809948e-5F, -1.388731625493765e-3F), 4.166664568298827e-2F),
           fmaf(x2, -0.5F, 1.0F));
  const int q = static_cast<int>(quarter);
  sine = (q & 1) != 0 ? c : s;
  cosine = (q & 1) != 0 ? s : c;
  if ((q & 2) != 0) sine = -sine;
  if (((q + 1) & 2) != 0) cosine = -cosine;
}

}  // namespace kernels::device
