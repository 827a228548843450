// The next token from its logits: the arithmetic of a draw, which gives the same id on the host and on the device. Nothing
// in it depends on an order: logits become integer ranks and integer masses, whose sums have no rounding, and what is
// computed before them in double uses additions, products and one division alone, without contraction. Pure functions;
// C++17, as device code includes them.
#pragma once

#include "kernels/random/random_fill.h"

#include <cstdint>

namespace kernels {

// Which ids a draw takes into account, and the number that decides.
struct DrawRule {
  enum class Kind : std::uint8_t { best, all, top_count, top_share };
  Kind kind = Kind::best;
  double scale = 1;        // log2(e) / temperature, more than 0 and finite; not for `best`
  std::int64_t count = 1;  // top_count: so many of the best, at least 1
  double share = 1;        // top_share: the best that hold this share of the mass
  std::uint64_t seed = 0;

  constexpr bool operator==(const DrawRule& other) const {
    return kind == other.kind && scale == other.scale && count == other.count && share == other.share &&
           seed == other.seed;
  }
  constexpr bool operator!=(const DrawRule& other) const { return !(*this == other); }
};

// Masses are counted in 2^-40 of the best id's. Sums over fewer than 2^23 ids fit.
constexpr int mass_bits = 40;

// Larger for larger logits, equal for equal ones (both zeros, too); NaN counts as minus infinity.
constexpr std::uint32_t key_of(float logit) {
  const auto bits = __builtin_bit_cast(std::uint32_t, logit);
  constexpr std::uint32_t sign = 0x80000000U, infinity = 0x7F800000U;
  if ((bits & ~sign) > infinity) return ~(sign | infinity);
  if (bits == sign) return sign;
  return (bits & sign) != 0 ? ~bits : bits | sign;
}

// The logit of a key; of the two zeros, the positive one.
constexpr float logit_of(std::uint32_t key) {
  constexpr std::uint32_t sign = 0x80000000U;
  return __builtin_bit_cast(float, (key & sign) != 0 ? key & ~sign : ~key);
}

constexpr bool is_finite(float logit) {
  return (__builtin_bit_cast(std::uint32_t, logit) & 0x7F800000U) != 0x7F800000U;
}

// The order of ids, best first: by logit, and the lower id among equals. All ranks of a row differ.
constexpr std::uint64_t rank_of(float logit, std::int32_t id, int id_bits) {
  return std::uint64_t{key_of(logit)} << static_cast<unsigned>(id_bits) |
         ((std::uint64_t{1} << static_cast<unsigned>(id_bits)) - 1 - static_cast<std::uint64_t>(id));
}
constexpr std::int32_t id_of_rank(std::uint64_t rank, int id_bits) {
  const std::uint64_t last = (std::uint64_t{1} << static_cast<unsigned>(id_bits)) - 1;
  return static_cast<std::int32_t>(last - (rank & last));
}
// The least bits that hold every id below `count`.
constexpr int id_bits_of(std::int32_t count) {
  int bits = 1;
  while ((std::int64_t{1} << bits) < count) ++bits;
  return bits;
}

// log2 of an id's probability over the best one's, from 0 down. Infinite and undefined logits are far below every mass.
constexpr double exponent_of(float logit, float best, double scale) {
  return is_finite(logit) ? (static_cast<double>(logit) - static_cast<double>(best)) * scale : -1e300;
}

// 2^(40 + exponent), rounded: the mass of an id. Relative error below 1e-9, of what is not 0 for being below one half.
constexpr std::uint64_t mass_of(double exponent) {
  if (!(exponent > -(mass_bits + 2))) return 0;
  const int whole = static_cast<int>(exponent - 0.5);  // the nearest: exponents are not positive
  const double f = exponent - whole;
  // 2^f = exp(f ln 2), its series up to the eighth power; |f| <= 1/2.
  double p = 1.3215486790144309e-6;
  p = p * f + 1.5252733804059841e-5;
  p = p * f + 1.5403530393381609e-4;
  p = p * f + 1.3333558146428443e-3;
  p = p * f + 9.6181291076284772e-3;
  p = p * f + 5.5504108664821580e-2;
  p = p * f + 2.4022650695910072e-1;
  p = p * f + 6.9314718055994531e-1;
  p = p * f + 1.0;
  const auto power = __builtin_bit_cast(double, static_cast<std::uint64_t>(1023 + mass_bits + whole) << 52U);
  const double half_above = p * power + 0.5;  // not lround(), which is the library's
  return static_cast<std::uint64_t>(half_above);
}

// The least mass that is at least `share` of the total: what the ids of top_share have to reach; 1 to total.
constexpr std::uint64_t mass_to_reach(double share, std::uint64_t total) {
  if (!(share > 0)) return 1;
  if (share >= 1) return total;
  const double wanted = share * static_cast<double>(total);
  auto goal = static_cast<std::uint64_t>(wanted);
  if (static_cast<double>(goal) < wanted) ++goal;
  return goal < 1 ? 1 : goal > total ? total : goal;
}

// The first number of a xoshiro256** generator (Blackman and Vigna 2018) whose state SplitMix64 fills from seed and stream:
// of its state, only the second word decides the first number.
constexpr std::uint64_t first_number(std::uint64_t seed, std::uint64_t stream) {
  const std::uint64_t start = mix_bits(seed + golden_gamma) ^ stream;
  const std::uint64_t times5 = mix_bits(start + 2 * golden_gamma) * 5;
  return (times5 << 7U | times5 >> 57U) * 9;
}

}  // namespace kernels
