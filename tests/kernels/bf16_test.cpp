// Rounding of fp32 to bfloat16 on the host: exact where it can be, nearest with ties to even where not.
#include "kernels/bf16.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using kernels::half_ulp_bf16;
using kernels::round_to_bf16;
using kernels::widen_bf16;

namespace {

float float_of(std::uint32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, 4);
  return value;
}

}  // namespace

TEST_CASE("bf16: every value comes back as it was") {
  int wrong = 0, not_numbers = 0;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto narrow = static_cast<std::uint16_t>(bits);
    const float wide = widen_bf16(narrow);
    if (std::isnan(wide)) {
      ++not_numbers;
      wrong += std::isnan(widen_bf16(round_to_bf16(wide))) ? 0 : 1;
    } else {
      wrong += round_to_bf16(wide) == narrow ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  CHECK(not_numbers == 254);
}

TEST_CASE("bf16: to nearest, a tie to the even neighbour, too large to infinity, NaN stays NaN") {
  CHECK(round_to_bf16(float_of(0x3F807FFF)) == 0x3F80);
  CHECK(round_to_bf16(float_of(0x3F808000)) == 0x3F80);  // a tie below an even one
  CHECK(round_to_bf16(float_of(0x3F808001)) == 0x3F81);
  CHECK(round_to_bf16(float_of(0x3F818000)) == 0x3F82);  // a tie below an odd one
  CHECK(round_to_bf16(float_of(0xBF818000)) == 0xBF82);
  CHECK(round_to_bf16(float_of(0x3FFFFFFF)) == 0x4000);  // into the next binade
  CHECK(round_to_bf16(-0.0F) == 0x8000);
  CHECK(round_to_bf16(float_of(0x00008001)) == 0x0001);  // below the normal numbers
  CHECK(round_to_bf16(std::numeric_limits<float>::max()) == 0x7F80);
  CHECK(round_to_bf16(-std::numeric_limits<float>::infinity()) == 0xFF80);
  CHECK(std::isnan(widen_bf16(round_to_bf16(float_of(0x7F800001)))));
  CHECK(std::isnan(widen_bf16(round_to_bf16(float_of(0x7FFFFFFF)))));
}

TEST_CASE("bf16: rounding moves a value by half a unit at most, and a tie by just that") {
  std::mt19937 random(3);
  int beyond = 0;
  for (int i = 0; i < 1000000; ++i) {
    const float value = float_of(static_cast<std::uint32_t>(random()));
    if (!std::isfinite(value) || !std::isfinite(widen_bf16(round_to_bf16(value)))) continue;
    const double off = static_cast<double>(widen_bf16(round_to_bf16(value))) - static_cast<double>(value);
    beyond += std::fabs(off) <= static_cast<double>(half_ulp_bf16(value)) ? 0 : 1;
  }
  CHECK(beyond == 0);
  const float tie = float_of(0x3F808000);
  CHECK(tie - widen_bf16(round_to_bf16(tie)) == half_ulp_bf16(tie));
  CHECK(half_ulp_bf16(1.0F) == 0x1p-8F);
  CHECK(half_ulp_bf16(-3.0F) == 0x1p-7F);
}
