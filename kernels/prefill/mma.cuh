// Products of small fp32 tiles on the tensor cores, with nearly fp32's accuracy: each value is split into its first 11 bits
// (tf32) and the rest, and three of the four products are added in fp32; what is left out is 2^-22 of a product. Fragments are
// those of mma.m16n8k8: with g = lane / 4 and j = lane % 4, A (16, 8) holds (g, j), (g + 8, j), (g, j + 4), (g + 8, j + 4),
// B (8, 8) holds (j, g), (j + 4, g), and C (16, 8) holds (g, 2 j), (g, 2 j + 1), (g + 8, 2 j), (g + 8, 2 j + 1). Which of the
// 8 inner indices is called j does not matter, as long as A and B agree. Device code only; compute capability 8.0.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace kernels::device {

template <int count>
struct Split {
  std::uint32_t high[count], low[count];

  __device__ __forceinline__ void set(int i, float value) {
    high[i] = __float_as_uint(value) & 0xffffe000U;
    low[i] = __float_as_uint(value - __uint_as_float(high[i]));
  }
};

__device__ __forceinline__ void multiply_tf32(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, "
      "%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// c += a b
__device__ __forceinline__ void multiply_split(float (&c)[4], const Split<4>& a, const Split<2>& b) {
  multiply_tf32(c, a.low, b.high);
  multiply_tf32(c, a.high, b.low);
  multiply_tf32(c, a.high, b.high);
}

}  // namespace kernels::device
