// Loads of weights in their stored dtype, widened to fp32 exactly: one element, or 16 bytes at once. Device code only.
#pragma once

#include "kernels/matrix.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

namespace kernels {

__device__ __forceinline__ float widen(float value) { return value; }
__device__ __forceinline__ float widen(__half value) { return __half2float(value); }
__device__ __forceinline__ float widen(__nv_bfloat16 value) { return __bfloat162float(value); }

// Elements of T in 16 bytes.
template <class T>
inline constexpr int vector_width = 16 / static_cast<int>(sizeof(T));

// 16 bytes of weights, which nobody writes while a kernel runs, from a 16-byte aligned address.
__device__ __forceinline__ uint4 load_16_bytes(const void* address) {
  return __ldg(static_cast<const uint4*>(address));
}

__device__ __forceinline__ void widen_16_bytes(const uint4& bits, float (&out)[4], const float*) {
  out[0] = __uint_as_float(bits.x);
  out[1] = __uint_as_float(bits.y);
  out[2] = __uint_as_float(bits.z);
  out[3] = __uint_as_float(bits.w);
}

__device__ __forceinline__ void widen_16_bytes(const uint4& bits, float (&out)[8], const __nv_bfloat16*) {
  const unsigned words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    out[2 * i] = __uint_as_float(words[i] << 16U);
    out[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000U);
  }
}

__device__ __forceinline__ void widen_16_bytes(const uint4& bits, float (&out)[8], const __half*) {
  const unsigned words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    out[2 * i] = __half2float(__ushort_as_half(static_cast<unsigned short>(words[i] & 0xffffU)));
    out[2 * i + 1] = __half2float(__ushort_as_half(static_cast<unsigned short>(words[i] >> 16U)));
  }
}

// Calls `body` with a null pointer of the element type that belongs to `dtype`.
template <class Body>
void with_element_type(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::f32:
      return body(static_cast<const float*>(nullptr));
    case DType::f16:
      return body(static_cast<const __half*>(nullptr));
    case DType::bf16:
      return body(static_cast<const __nv_bfloat16*>(nullptr));
  }
}

// Whether 16-byte loads may start at this address.
inline bool aligned_16(const void* address) { return reinterpret_cast<unsigned long long>(address) % 16 == 0; }

}  // namespace kernels
