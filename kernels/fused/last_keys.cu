#include "kernels/fused/key.cuh"
#include "kernels/fused/last_keys.h"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int block_size = 128, most_pairs_per_lane = 4;

// A warp takes a rank of a head.
__global__ void __launch_bounds__(block_size) last_keys_kernel(const LastKeysArgs args) {
  if (args.from.known[0] == 0) return;
  const int vector = static_cast<int>((blockIdx.x * block_size + threadIdx.x) / warp_size);
  if (vector >= args.rank * args.heads) return;  // all lanes of a warp
  const int rank = vector / args.heads, head = vector % args.heads, b = static_cast<int>(blockIdx.y);
  const int group = head / (args.heads / args.groups), pairs = args.d_state / 2;
  NormedPairs<most_pairs_per_lane> normed;
  normed.load(args.from.now + static_cast<std::size_t>((b * args.rank + rank) * args.groups + group) * args.d_state,
              args.d_state, args.half_pairs);
  normed.norm(args.d_state);
  const float* const bias = args.b_bias + (head * args.rank + rank) * args.d_state;
  const float* const angle = args.angle + static_cast<std::size_t>(b * args.heads + head) * args.angles;
  float* const out = args.k_prev + static_cast<std::size_t>((b * args.rank + rank) * args.heads + head) * args.d_state;
#pragma unroll
  for (int j = 0; j < most_pairs_per_lane; ++j) {
    const int i = static_cast<int>(threadIdx.x) % warp_size + j * warp_size;
    if (i >= pairs) continue;
    const int2 channel = pair_channels(i, pairs, args.half_pairs);
    float sine = 0.0F, cosine = 1.0F;
    if (i < args.angles) turned_by(angle[i], sine, cosine);
    const float2 key =
        turned_pair(normed.u[j], normed.v[j], make_float2(args.b_norm[channel.x], args.b_norm[channel.y]),
                    make_float2(bias[channel.x], bias[channel.y]), sine, cosine);
    out[channel.x] = key.x;
    out[channel.y] = key.y;
  }
}

}  // namespace

int last_keys(const LastKeysArgs& args, StreamHandle stream) {
  if (args.d_state % 2 != 0 || args.d_state > 2 * warp_size * most_pairs_per_lane) return cudaErrorInvalidValue;
  const int threads = args.rank * args.heads * warp_size;
  const dim3 grid(static_cast<unsigned>((threads + block_size - 1) / block_size), static_cast<unsigned>(args.batch));
  last_keys_kernel<<<grid, block_size, 0, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace kernels::device
