// Sixteen floats as one value, for the sources of this folder that are compiled once per instruction set: one, two or
// four registers. The order of every sum is fixed by the code and never by the alignment. Everything lives in a namespace
// of the instruction set, and nothing of the standard library is included, so that the linker cannot merge code for one
// instruction set into the path of another.
#pragma once

#include "kernels/matrix.h"

#if defined(__F16C__)
#if !defined(__clang__)  // GCC 12 takes the undefined operand of an unmasked conversion for an oversight
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#endif

#ifndef MAMBASCOPE_ISA
#define MAMBASCOPE_ISA baseline  // for tools that look at this header alone
#endif

// All of it is inlined: that a vector would be passed differently elsewhere does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace kernels::cpu::MAMBASCOPE_ISA {
namespace {

constexpr int lanes = 16;
#if defined(__AVX512F__)
constexpr int parts = 1;  // registers of a value
#elif defined(__AVX2__)
constexpr int parts = 2;
#else
constexpr int parts = 4;
#endif
constexpr int width = lanes / parts;

// One register.
using Floats = float __attribute__((vector_size(width * 4)));
using Ints = std::int32_t __attribute__((vector_size(width * 4)));
using Words = std::uint32_t __attribute__((vector_size(width * 4)));
using Halves = std::uint16_t __attribute__((vector_size(width * 2)));

inline Floats floats_of(Words bits) {
  Floats value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
inline Words words_of(Floats value) {
  Words bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline Floats spread(float x) { return x - Floats{}; }

struct F16 {
  Floats part[parts];
};

inline F16 operator+(F16 a, F16 b) {
  for (int i = 0; i < parts; ++i) a.part[i] = a.part[i] + b.part[i];
  return a;
}
inline F16 operator-(F16 a, F16 b) {
  for (int i = 0; i < parts; ++i) a.part[i] = a.part[i] - b.part[i];
  return a;
}
inline F16 operator*(F16 a, F16 b) {
  for (int i = 0; i < parts; ++i) a.part[i] = a.part[i] * b.part[i];
  return a;
}
inline F16 operator*(F16 a, float b) {
  // NOLINTNEXTLINE(modernize-loop-convert): registers, by number as everywhere here
  for (int i = 0; i < parts; ++i) a.part[i] = a.part[i] * b;
  return a;
}
// a += b * c, fused where the instruction set can.
inline void add_product(F16& a, F16 b, F16 c) {
  for (int i = 0; i < parts; ++i) a.part[i] += b.part[i] * c.part[i];
}
inline void add_product(F16& a, F16 b, float c) {
  for (int i = 0; i < parts; ++i) a.part[i] += b.part[i] * c;
}

// Each of them times `change.scale` plus `change.offset` (kernels/intervention).
template <class Change>
inline F16 change_each(F16 x, const Change& change) {
  F16 y;
  for (int i = 0; i < parts; ++i) y.part[i] = x.part[i] * change.scale + spread(change.offset);
  return y;
}

inline F16 load(const float* from) {
  F16 value;
  for (int i = 0; i < parts; ++i) __builtin_memcpy(&value.part[i], from + std::ptrdiff_t{i} * width, sizeof(Floats));
  return value;
}
inline void store(float* to, F16 value) {
  for (int i = 0; i < parts; ++i) __builtin_memcpy(to + std::ptrdiff_t{i} * width, &value.part[i], sizeof(Floats));
}

// The first `count` of sixteen; the rest are zero when loaded and untouched when stored.
inline F16 load(const float* from, int count) {
  if (count == lanes) return load(from);
  float some[lanes] = {};
  __builtin_memcpy(some, from, static_cast<std::size_t>(count) * sizeof(float));
  return load(some);
}
inline void store(float* to, F16 value, int count) {
  if (count == lanes) return store(to, value);
  float some[lanes];
  store(some, value);
  __builtin_memcpy(to, some, static_cast<std::size_t>(count) * sizeof(float));
}

// Lane i and lane i + 8, then those with i + 4, i + 2 and i + 1, on every instruction set.
inline float sum(F16 v) {
  using Four = float __attribute__((vector_size(16)));
#if defined(__AVX512F__)
  const auto half = __builtin_shufflevector(v.part[0], v.part[0], 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(v.part[0], v.part[0], 8, 9, 10, 11, 12, 13, 14, 15);
#elif defined(__AVX2__)
  const auto half = v.part[0] + v.part[1];
#endif
#if defined(__AVX2__)
  const Four all = __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
#else
  const Four all = (v.part[0] + v.part[2]) + (v.part[1] + v.part[3]);
#endif
  return (all[0] + all[2]) + (all[1] + all[3]);
}

inline Floats widen_bf16(Halves half) { return floats_of(__builtin_convertvector(half, Words) << 16); }

// Exact, subnormals and infinities included; NaN stays NaN.
inline Floats widen_f16(Halves half) {
#if defined(__AVX512F__)
  return Floats(_mm512_cvtph_ps(__m256i(half)));
#elif defined(__F16C__)
  return Floats(_mm256_cvtph_ps(__m128i(half)));
#else
  // Exponent and mantissa shifted into place and rescaled by 2^112.
  const Words bits = __builtin_convertvector(half, Words);
  const Words magnitude = bits & 0x7FFFU;
  const Floats scaled = floats_of(magnitude << 13) * 0x1.0p112F;
  const Words special = reinterpret_cast<Words>(magnitude >= 0x7C00U) & 0x7F800000U;
  return floats_of(words_of(scaled) | special | ((bits & 0x8000U) << 16));
#endif
}

// Sixteen (or the first `count`) weights from `index` on, widened exactly.
template <DType dtype>
inline F16 load_weights(const void* data, std::size_t index, int count = lanes) {
  if constexpr (dtype == DType::f32) return load(static_cast<const float*>(data) + index, count);
  const auto* from = static_cast<const std::uint16_t*>(data) + index;
  std::uint16_t some[lanes] = {};
  if (count != lanes) {
    __builtin_memcpy(some, from, static_cast<std::size_t>(count) * 2);
    from = some;
  }
  F16 value;
  for (int i = 0; i < parts; ++i) {
    Halves half;
    __builtin_memcpy(&half, from + std::ptrdiff_t{i} * width, sizeof half);
    value.part[i] = dtype == DType::bf16 ? widen_bf16(half) : widen_f16(half);
  }
  return value;
}

// e^x within 2 units in the last place: n = round(x / ln 2), a polynomial in the rest (coefficients of the Cephes
// library's expf), times 2^n. Clamped to where neither overflows; NaN stays NaN.
inline Floats exp(Floats x) {
  x = x > 88.0F ? spread(88.0F) : x;
  x = x < -87.0F ? spread(-87.0F) : x;
  const Floats n = (x * 1.44269504F + 12582912.0F) - 12582912.0F;
  const Floats r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  Floats p = r * 1.9875691500e-4F + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const Floats finite = n == n ? n : spread(0.0F);
  return p * floats_of(reinterpret_cast<Words>((__builtin_convertvector(finite, Ints) + 127) << 23));
}

inline F16 silu(F16 x) {
  // NOLINTNEXTLINE(modernize-loop-convert)
  for (int i = 0; i < parts; ++i) x.part[i] = x.part[i] / (1.0F + exp(-x.part[i]));
  return x;
}

// Cosine and sine of angles in [0, 2 pi), within 2 units of 2^-24: the quarter turn, a polynomial in the rest
// (coefficients of the Cephes library's sinf), swapped and negated as the quarter says. NaN stays NaN.
inline void cosine_and_sine(Floats angle, Floats& cosine, Floats& sine) {
  const Floats known = angle == angle ? angle : spread(0.0F);
  const Floats n = (known * 0.636619772F + 12582912.0F) - 12582912.0F;
  const Ints quarter = __builtin_convertvector(n, Ints);
  const Floats r = ((angle - n * 1.5703125F) - n * 4.837512969970703e-4F) - n * 7.549789948768648e-8F;
  const Floats r2 = r * r;
  Floats s = r2 * -1.9515295891e-4F + 8.3321608736e-3F;
  s = s * r2 + -1.6666654611e-1F;
  s = s * r2 * r + r;
  Floats c = r2 * 2.443315711809948e-5F + -1.388731625493765e-3F;
  c = c * r2 + 4.166664568298827e-2F;
  c = c * r2 * r2 + (1.0F - 0.5F * r2);
  const Ints odd = (quarter & 1) != 0;
  const Floats first = odd ? s : c;
  const Floats second = odd ? c : s;
  cosine = ((quarter + 1) & 2) != 0 ? -first : first;
  sine = (quarter & 2) != 0 ? -second : second;
}

}  // namespace
}  // namespace kernels::cpu::MAMBASCOPE_ISA
