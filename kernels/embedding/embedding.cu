// One row of the embedding for each sequence, widened to fp32.
#include "kernels/device/launch.h"
#include "kernels/device/load.cuh"
#include "kernels/embedding/embedding.h"
#include "kernels/fused/overlap.cuh"

#include <cuda_runtime.h>

#include <type_traits>

namespace kernels::device {

namespace {

constexpr int block_size = 256;

template <class T>
__global__ void __launch_bounds__(block_size) embedding_kernel(const EmbeddingArgs<float> args) {
  let_next_start();
  const int i = static_cast<int>(blockIdx.x) * block_size + static_cast<int>(threadIdx.x);
  if (i >= args.table.cols) return;
  const std::size_t cols = static_cast<std::size_t>(args.table.cols);
  const std::size_t row = static_cast<std::size_t>(args.ids[blockIdx.y]);
  args.out[blockIdx.y * cols + static_cast<std::size_t>(i)] =
      widen(static_cast<const T*>(args.table.data)[row * cols + static_cast<std::size_t>(i)]);
}

}  // namespace

int embedding(const EmbeddingArgs<float>& args, StreamHandle stream) {
  const dim3 grid(static_cast<unsigned>((args.table.cols + block_size - 1) / block_size),
                  static_cast<unsigned>(args.batch));
  with_element_type(args.table.dtype, [&](const auto* type) {
    using T = std::remove_const_t<std::remove_pointer_t<decltype(type)>>;
    embedding_kernel<T><<<grid, block_size, 0, stream>>>(args);
  });
  return cudaGetLastError();
}

}  // namespace kernels::device
