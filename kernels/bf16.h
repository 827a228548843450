// bfloat16 as its bits: the upper half of an fp32. For host code; kernels have CUDA's own conversions.
#pragma once

#include <bit>
#include <cstdint>

namespace kernels {

// Exact.
constexpr float widen_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U); }

// To nearest, ties to even, as the kernels round: too large a value becomes infinity, NaN stays NaN, and what
// widen_bf16() gave comes back.
constexpr std::uint16_t round_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (value != value)
    return static_cast<std::uint16_t>((bits >> 16U) | 0x40U);  // a rounded NaN could turn into infinity
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}

// How far a rounded value may be from `value`: half the distance of its two neighbours of 8 significant bits.
constexpr float half_ulp_bf16(float value) {
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(value) & 0x7F800000U;
  constexpr std::uint32_t smallest = 9U << 23U;  // below it half a unit is no longer a normal number
  return std::bit_cast<float>((exponent < smallest ? smallest : exponent) - (8U << 23U));
}

}  // namespace kernels
