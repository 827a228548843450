// Sixteen floats as one value, for the sources of this folder that are compiled once per instruction set: the compiler
// lowers it to one, two or four registers. The order of every sum is fixed by the code and never by the alignment.
// Everything lives in a namespace of the instruction set, and nothing of the standard library is included, so that the
// linker cannot merge code for one instruction set into the path of another.
#pragma once

#include "kernels/matrix.h"

#ifndef MAMBASCOPE_ISA
#define MAMBASCOPE_ISA baseline  // for tools that look at this header alone
#endif

// All of it is inlined: that a vector would be passed differently elsewhere does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace kernels::cpu::MAMBASCOPE_ISA {
namespace {

using F16 = float __attribute__((vector_size(64)));
using I16 = std::int32_t __attribute__((vector_size(64)));
using U16 = std::uint32_t __attribute__((vector_size(64)));
using H16 = std::uint16_t __attribute__((vector_size(32)));
using F8 = float __attribute__((vector_size(32)));
using F4 = float __attribute__((vector_size(16)));

constexpr int lanes = 16;

inline F16 all(float x) { return F16{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

inline F16 load(const float* from) {
  F16 value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
inline void store(float* to, F16 value) { __builtin_memcpy(to, &value, sizeof value); }

// The first `count` of sixteen; the rest are zero when loaded and untouched when stored.
inline F16 load(const float* from, int count) {
  F16 value = {};
  __builtin_memcpy(&value, from, static_cast<std::size_t>(count) * sizeof(float));
  return value;
}
inline void store(float* to, F16 value, int count) {
  __builtin_memcpy(to, &value, static_cast<std::size_t>(count) * sizeof(float));
}

inline float sum(F16 v) {
  const F8 eight = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                   __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  const F4 four = __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  return (four[0] + four[2]) + (four[1] + four[3]);
}

inline F16 bits_to_floats(U16 bits) {
  F16 value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline F16 widen_bf16(H16 half) { return bits_to_floats(__builtin_convertvector(half, U16) << 16); }

// Exact, subnormals, infinities and NaN included: exponent and mantissa shifted into place and rescaled by 2^112.
inline F16 widen_f16(H16 half) {
  const U16 bits = __builtin_convertvector(half, U16);
  const U16 magnitude = bits & 0x7FFFU;
  const F16 scaled = bits_to_floats(magnitude << 13) * 0x1.0p112F;
  const U16 special = reinterpret_cast<U16>(magnitude >= 0x7C00U) & 0x7F800000U;
  U16 widened;
  __builtin_memcpy(&widened, &scaled, sizeof widened);
  return bits_to_floats(widened | special | ((bits & 0x8000U) << 16));
}

// Sixteen (or the first `count`) weights from `index` on, widened exactly.
template <DType dtype>
inline F16 load_weights(const void* data, std::size_t index) {
  if constexpr (dtype == DType::f32) return load(static_cast<const float*>(data) + index);
  H16 half;
  __builtin_memcpy(&half, static_cast<const std::uint16_t*>(data) + index, sizeof half);
  return dtype == DType::bf16 ? widen_bf16(half) : widen_f16(half);
}
template <DType dtype>
inline F16 load_weights(const void* data, std::size_t index, int count) {
  if constexpr (dtype == DType::f32) return load(static_cast<const float*>(data) + index, count);
  H16 half = {};
  __builtin_memcpy(&half, static_cast<const std::uint16_t*>(data) + index, static_cast<std::size_t>(count) * 2);
  return dtype == DType::bf16 ? widen_bf16(half) : widen_f16(half);
}

// e^x within 2 units in the last place: n = round(x / ln 2), a polynomial in the rest (coefficients of the Cephes
// library's expf), times 2^n. Clamped to where neither overflows; NaN stays NaN.
inline F16 exp(F16 x) {
  x = x > 88.0F ? all(88.0F) : x;
  x = x < -87.0F ? all(-87.0F) : x;
  const F16 n = (x * 1.44269504F + 12582912.0F) - 12582912.0F;
  const F16 r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  F16 p = r * 1.9875691500e-4F + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const F16 finite = n == n ? n : all(0.0F);
  const U16 exponent = reinterpret_cast<U16>((__builtin_convertvector(finite, I16) + 127) << 23);
  return p * bits_to_floats(exponent);
}

inline F16 silu(F16 x) { return x / (1.0F + exp(-x)); }

}  // namespace
}  // namespace kernels::cpu::MAMBASCOPE_ISA
