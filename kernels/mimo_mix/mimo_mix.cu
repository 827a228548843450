// The ranks of a MIMO model become one output, a thread each.
#include "kernels/device/launch.h"
#include "kernels/mimo_mix/mimo_mix.h"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int block_size = 256;

__global__ void __launch_bounds__(block_size) mimo_mix_kernel(const MimoMixArgs<float> args) {
  const int width = args.heads * args.headdim;
  const int i = static_cast<int>(blockIdx.x) * block_size + static_cast<int>(threadIdx.x);  // head P + p
  if (i >= width) return;
  const int head = i / args.headdim;
  const int p = i % args.headdim;
  const std::size_t b = blockIdx.y;
  float sum = 0.0F;
  for (int r = 0; r < args.rank; ++r) {
    sum =
        fmaf(args.mimo_o[(head * args.rank + r) * args.headdim + p], args.values[(b * args.rank + r) * width + i], sum);
  }
  if (args.changes.heads != nullptr) sum = changed(args.changes.heads[b * args.heads + head].output, sum);
  args.out[b * width + i] = sum;
}

}  // namespace

int mimo_mix(const MimoMixArgs<float>& args, StreamHandle stream) {
  const int width = args.heads * args.headdim;
  const dim3 grid(static_cast<unsigned>((width + block_size - 1) / block_size), static_cast<unsigned>(args.batch));
  mimo_mix_kernel<<<grid, block_size, 0, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace kernels::device
