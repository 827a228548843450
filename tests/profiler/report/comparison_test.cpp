#include "profiler/report/comparison.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace profiler;

TEST_CASE("Mann and Whitney's test, exact") {
  // A worked example: 19 22 16 29 24 against 20 11 17 12 gives U = 17 and p = 0.1111 (14 of 126 orders).
  const std::vector<double> a = {19, 22, 16, 29, 24}, b = {20, 11, 17, 12};
  const RankTest test = mann_whitney(a, b);
  CHECK(test.exact);
  CHECK(test.u == 17);
  CHECK(test.p == doctest::Approx(14.0 / 126));
  CHECK(mann_whitney(b, a).u == 3);
  CHECK(mann_whitney(b, a).p == doctest::Approx(test.p));
  // Wholly apart: one of C(6, 3) orders on each side.
  CHECK(mann_whitney(std::vector<double>{1, 2, 3}, std::vector<double>{4, 5, 6}).p == doctest::Approx(2.0 / 20));
  CHECK(mann_whitney({}, a).p == 1);
}

TEST_CASE("Mann and Whitney's test by the normal approximation, with ties") {
  // All equal: no difference. 1 1 2 against 2 3 3: U = 0.5; variance 9/12 (7 - 18/30) = 4.8, distance 4.5 - 0.5 - 0.5.
  const std::vector<double> same(30, 5);
  CHECK(mann_whitney(same, same).p == 1);
  const RankTest tied = mann_whitney(std::vector<double>{1, 1, 2}, std::vector<double>{2, 3, 3});
  CHECK_FALSE(tied.exact);
  CHECK(tied.u == 0.5);
  CHECK(tied.p == doctest::Approx(std::erfc(3.5 / std::sqrt(2 * 4.8))));
  // Where both are possible they agree: 20 and 20 values against 21 and 20.
  std::mt19937_64 random(1);
  std::vector<double> a, b;
  for (int i = 0; i < 20; ++i) a.push_back(static_cast<double>(random() % 1'000'000));
  for (int i = 0; i < 20; ++i) b.push_back(static_cast<double>(random() % 1'000'000) + 300'000);
  const RankTest exact = mann_whitney(a, b);
  a.push_back(b[3]);
  b.push_back(a[3]);
  const RankTest approximate = mann_whitney(a, b);
  CHECK(exact.exact);
  CHECK_FALSE(approximate.exact);
  CHECK(approximate.p == doctest::Approx(exact.p).epsilon(0.5));
}

TEST_CASE("p values of the rank test are evenly spread where nothing differs") {
  std::mt19937_64 random(11);
  int below = 0;
  for (int run = 0; run < 400; ++run) {
    std::vector<double> a, b;
    for (int i = 0; i < 60; ++i) a.push_back(static_cast<double>(random() % 50));
    for (int i = 0; i < 40; ++i) b.push_back(static_cast<double>(random() % 50));
    below += mann_whitney(a, b).p < 0.1 ? 1 : 0;
  }
  CHECK(below > 20);  // of 40 expected, with a standard deviation of 6
  CHECK(below < 60);
}

TEST_CASE("Holm's adjustment") {
  const std::vector<double> p = {0.01, 0.04, 0.03, 0.005};
  const std::vector<double> adjusted = holm(p);
  REQUIRE(adjusted.size() == 4);
  CHECK(adjusted[0] == doctest::Approx(0.03));
  CHECK(adjusted[1] == doctest::Approx(0.06));
  CHECK(adjusted[2] == doctest::Approx(0.06));
  CHECK(adjusted[3] == doctest::Approx(0.02));
  CHECK(holm(std::vector<double>{0.9, 0.8}) == std::vector<double>{1, 1});
  CHECK(holm({}).empty());
}

TEST_CASE("the ratio of medians and its interval") {
  std::mt19937_64 random(2);
  std::vector<double> a, b;
  for (int i = 0; i < 300; ++i) a.push_back(1000 + static_cast<double>(random() % 100));
  for (int i = 0; i < 200; ++i) b.push_back(1100 + static_cast<double>(random() % 110));
  const RatioInterval found = ratio_of_medians(a, b, 7);
  CHECK(found.ratio == doctest::Approx(1.1).epsilon(0.01));
  CHECK(found.low < found.ratio);
  CHECK(found.high > found.ratio);
  CHECK(found.high - found.low < 0.04);
  const RatioInterval again = ratio_of_medians(a, b, 7);
  CHECK(again.low == found.low);
  CHECK(again.high == found.high);
  CHECK(ratio_of_medians(a, b, 8).low != found.low);
  CHECK(ratio_of_medians(a, {}, 7).ratio == 0);
  CHECK(ratio_of_medians(std::vector<double>{0, 0}, b, 7).ratio == 0);
  // Drift within a run widens the interval: neighbours are resampled together.
  std::vector<double> drifting;
  for (int i = 0; i < 300; ++i) drifting.push_back(i < 150 ? 1000 + i % 3 : 1100 + i % 3);
  std::vector<double> mixed(drifting);
  std::shuffle(mixed.begin(), mixed.end(), random);
  const RatioInterval in_order = ratio_of_medians(drifting, drifting, 1), shuffled = ratio_of_medians(mixed, mixed, 1);
  CHECK(in_order.high - in_order.low >= shuffled.high - shuffled.low);
}

TEST_CASE("in 95 of 100 runs the interval holds the true ratio") {
  std::mt19937_64 random(21);
  int held = 0;
  for (int run = 0; run < 200; ++run) {
    std::vector<double> a, b;
    std::normal_distribution<double> noise(0, 20);
    for (int i = 0; i < 64; ++i) a.push_back(1000 + noise(random));
    for (int i = 0; i < 64; ++i) b.push_back(1050 + 1.05 * noise(random));
    const RatioInterval found = ratio_of_medians(a, b, static_cast<std::uint64_t>(run), 400);
    held += found.low <= 1.05 && found.high >= 1.05 ? 1 : 0;
  }
  CHECK(held >= 178);  // 190 expected; blocks and 64 values cost a little
}
