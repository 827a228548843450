#include "kernels/scalar.h"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

TEST_CASE("scalar functions: the values that a sign or a threshold mistake would change") {
  CHECK(kernels::heavy_tail(0.0) == 1.0);
  CHECK(kernels::heavy_tail(2.0) == 3.0);
  CHECK(kernels::heavy_tail(-3.0) == 0.25);
  CHECK(kernels::heavy_tail(-9999.0) == doctest::Approx(1e-4));
  CHECK(kernels::softplus(0.0) == doctest::Approx(0.6931471805599453));
  CHECK(kernels::softplus(20.5) == 20.5);  // the identity above 20
  CHECK(kernels::softplus(20.0) != 20.0);
  CHECK(kernels::softplus(-100.0) == doctest::Approx(std::exp(-100.0)));
  CHECK(kernels::sigmoid(-800.0) == 0.0);
  CHECK(kernels::sigmoid(800.0) == 1.0);
  CHECK(kernels::sigmoid(-2.0) + kernels::sigmoid(2.0) == doctest::Approx(1.0));
  CHECK(kernels::silu(3.0) == doctest::Approx(3.0 / (1.0 + std::exp(-3.0))));
  CHECK(kernels::silu(-500.0F) == 0.0F);
}

TEST_CASE("wrap_angle: into [0, 2 pi), whole turns counted, nothing lost") {
  const auto check = [](auto zero, double angle, double tolerance) {
    using T = decltype(zero);
    std::int32_t turns = 0;
    const T wrapped = kernels::wrap_angle<T>(angle, turns);
    CAPTURE(angle);
    CHECK(wrapped >= 0);
    CHECK(wrapped < static_cast<T>(kernels::two_pi));
    CHECK(std::fabs(static_cast<double>(wrapped) + kernels::two_pi * turns - angle) <= tolerance);
  };
  for (const double angle : {0.0, 1.0, -1.0, 6.28, 6.2831853, kernels::two_pi, -kernels::two_pi, 100.0, -100.0, -1e-9,
                             1e-9, -1e-17, 12345.678, -98765.4321, std::nextafter(kernels::two_pi, 0.0)}) {
    check(0.0F, angle, 4e-7);
    check(0.0, angle, 1e-10);
  }
  std::int32_t turns = 0;
  CHECK(kernels::wrap_angle<float>(-1e-9, turns) == 0.0F);  // not 2 pi, to which it would round
  CHECK(turns == 0);
  CHECK(kernels::wrap_angle<float>(-0.5, turns) == doctest::Approx(kernels::two_pi - 0.5));
  CHECK(turns == -1);
  CHECK(std::isnan(kernels::wrap_angle<float>(std::numeric_limits<double>::infinity(), turns)));
  CHECK(std::isnan(kernels::wrap_angle<float>(std::nan(""), turns)));
  const float far = kernels::wrap_angle<float>(1e300, turns);
  CHECK(far >= 0.0F);
  CHECK(far < 6.2831855F);
}
