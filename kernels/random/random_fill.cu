// One thread draws 16 bytes at a time, a grid's width apart from its next. The arithmetic of a draw is in double, as on
// the host; 1.5 billion elements are a few milliseconds of it.
#include "kernels/device/load.cuh"
#include "kernels/random/random_fill.h"

#include <algorithm>

namespace kernels {

namespace {

constexpr int threads = 256;
constexpr std::uint64_t most_blocks = 132 * 8 * 4;

__device__ void round_to(float value, float& out) { out = value; }
__device__ void round_to(float value, __half& out) { out = __float2half_rn(value); }
__device__ void round_to(float value, __nv_bfloat16& out) { out = __float2bfloat16_rn(value); }

template <class T>
__global__ void __launch_bounds__(threads) random_fill_kernel(T* out, std::uint64_t count, RandomFill fill) {
  constexpr std::uint64_t width = vector_width<T>;
  const std::uint64_t stride = std::uint64_t{gridDim.x} * threads * width;
  for (std::uint64_t first = (std::uint64_t{blockIdx.x} * threads + threadIdx.x) * width; first < count;
       first += stride) {
    if (first + width > count) {
      for (std::uint64_t i = first; i < count; ++i) round_to(fill(i), out[i]);
      return;
    }
    alignas(16) T drawn[width];
#pragma unroll
    for (std::uint64_t i = 0; i < width; ++i) round_to(fill(first + i), drawn[i]);
    *reinterpret_cast<uint4*>(out + first) = *reinterpret_cast<const uint4*>(drawn);
  }
}

}  // namespace

int device::random_fill(void* data, const Matrix& shape, const RandomFill& fill, StreamHandle stream) {
  const std::uint64_t count = static_cast<std::uint64_t>(shape.rows) * static_cast<std::uint64_t>(shape.cols);
  if (count == 0) return 0;
  with_element_type(shape.dtype, [&](const auto* type) {
    using T = std::remove_const_t<std::remove_pointer_t<decltype(type)>>;
    const std::uint64_t vectors = (count + vector_width<T> - 1) / vector_width<T>;
    const auto blocks = static_cast<unsigned>(std::min<std::uint64_t>((vectors + threads - 1) / threads, most_blocks));
    random_fill_kernel<T><<<blocks, threads, 0, stream>>>(static_cast<T*>(data), count, fill);
  });
  return cudaGetLastError();
}

}  // namespace kernels
