#include "engine/analysis/statistics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace engine;

TEST_CASE("softmax sums to one and does not overflow") {
  const std::vector<float> logits = {1000.0F, 999.0F, -1000.0F};
  const Distribution d = softmax(logits);
  CHECK(d.p[0] == doctest::Approx(1 / (1 + std::exp(-1.0))).epsilon(1e-14));
  CHECK(d.p[0] + d.p[1] + d.p[2] == doctest::Approx(1).epsilon(1e-14));
  CHECK(d.log_p[2] == doctest::Approx(-2000 + d.log_p[0]).epsilon(1e-14));
  CHECK(softmax({}).empty());
}

TEST_CASE("softmax takes NaN as never and infinities as equally sure") {
  const float infinite = std::numeric_limits<float>::infinity();
  const Distribution d = softmax(std::vector<float>{infinite, std::nanf(""), infinite, 3.0F});
  CHECK(d.p == std::vector<double>{0.5, 0, 0.5, 0});
  CHECK(entropy_bits(d) == doctest::Approx(1));
}

TEST_CASE("entropy in bits") {
  CHECK(entropy_bits(softmax(std::vector<float>(8, 0.3F))) == doctest::Approx(3).epsilon(1e-14));
  CHECK(entropy_bits(softmax(std::vector<float>{0, -1e4F})) == 0);
  // p = (3/4, 1/4): 2 - 3/4 log2 3
  const std::vector<float> logits = {static_cast<float>(std::log(3.0)), 0};
  CHECK(entropy_bits(softmax(logits)) == doctest::Approx(2 - 0.75 * std::log2(3.0)).epsilon(1e-7));
}

TEST_CASE("divergence in bits") {
  const Distribution even = softmax(std::vector<float>{0, 0});
  const Distribution three_to_one = softmax(std::vector<float>{static_cast<float>(std::log(3.0)), 0});
  CHECK(kl_bits(even, even) == 0);
  CHECK(kl_bits(three_to_one, even) == doctest::Approx(1 - (2 - 0.75 * std::log2(3.0))).epsilon(1e-7));
  CHECK(kl_bits(even, three_to_one) == doctest::Approx(-1 + 2 - 0.5 * std::log2(3.0)).epsilon(1e-7));
  const Distribution sure = softmax(std::vector<float>{0, -std::numeric_limits<float>::infinity()});
  CHECK(std::isinf(kl_bits(even, sure)));
  CHECK(kl_bits(sure, even) == doctest::Approx(1));
}

TEST_CASE("the best ids come best first, the lower id among equals, NaN last") {
  const std::vector<float> logits = {1, 5, std::nanf(""), 5, 2};
  CHECK(top_ids(logits, 3) == std::vector<std::int32_t>{1, 3, 4});
  CHECK(top_ids(logits, 99) == std::vector<std::int32_t>{1, 3, 4, 0, 2});
  CHECK(top_ids(logits, 0).empty());
  CHECK(top_ids(logits, -1).empty());
  CHECK(top_ids({}, 3).empty());
}
