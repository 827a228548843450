#include "engine/analysis/slope_fit.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

using namespace engine;

TEST_CASE("a power is its own slope, without points outside the range, below the floor, zero or not finite") {
  const std::vector<double> step = {1, 2, 4, 8, 16, 32}, error = {3, 12, 0, 192, 768, NAN};
  const SlopeFit fit = fit_slope(step, error, {}, 0.5, 100);
  CHECK(fit.slope == doctest::Approx(2));
  CHECK(fit.half_width < 1e-12);
  CHECK(fit.points == 4);
  CHECK(fit.first == doctest::Approx(1));
  CHECK(fit.last == doctest::Approx(16));
  CHECK(fit_slope(step, error, {}, 2, 8).points == 2);
  CHECK(std::isnan(fit_slope(step, error, {}, 2, 8).half_width));
  CHECK(fit_slope(step, error, std::vector<double>{5, 5, 5, 5, 5, 5}, 0.5, 100).points == 3);
  CHECK(std::isnan(fit_slope(std::vector<double>{0.1, 0.1}, std::vector<double>{1, 2}, {}, 0, 1).slope));
  CHECK(std::isnan(fit_slope({}, {}, {}, 0, 1).slope));
}

TEST_CASE("quantiles of Student's t, from tables") {
  CHECK(student_t(1) == doctest::Approx(12.706).epsilon(1e-3));
  CHECK(student_t(8) == doctest::Approx(2.306).epsilon(1e-3));
  CHECK(student_t(9) == doctest::Approx(2.262).epsilon(1e-3));
  CHECK(student_t(30) == doctest::Approx(2.042).epsilon(1e-3));
  CHECK(student_t(100000) == doctest::Approx(1.960).epsilon(1e-3));
}

TEST_CASE("the 95 % interval holds the true slope in about 95 of 100 noisy fits") {
  std::mt19937 random(11);
  std::normal_distribution<double> noise(0, 0.1);
  int held = 0;
  constexpr int trials = 2000;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> step, error;
    for (int i = 0; i < 7; ++i) {
      step.push_back(std::pow(2.0, -i));
      error.push_back(std::exp(1.7 * std::log(step.back()) + noise(random)));
    }
    const SlopeFit fit = fit_slope(step, error, {}, 0, 2);
    if (std::abs(fit.slope - 1.7) <= fit.half_width) ++held;
  }
  CHECK(held > 0.93 * trials);
  CHECK(held < 0.97 * trials);
}
