// A truth that knows nothing of exponential integrators or quadrature: Fehlberg's embedded Runge-Kutta pair of orders
// 7 and 8, adaptive, in long double.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>

namespace engine {

// y(to) of y' = f(t, y), y(from) = y. The pair's estimate is blind where f does not depend on y, hence `longest`.
template <class F>
std::complex<long double> integrate_adaptively(F f, std::complex<long double> y, long double from, long double to,
                                               long double tolerance = 1e-17L, long double longest = 0.02L) {
  using Value = std::complex<long double>;
  using Row = std::array<long double, 12>;
  static const std::array<long double, 13> c = {0,        2.0L / 27, 1.0L / 9, 1.0L / 6, 5.0L / 12, 0.5L, 5.0L / 6,
                                                1.0L / 6, 2.0L / 3,  1.0L / 3, 1,        0,         1};
  static const std::array<Row, 13> a = {
      {{},
       {2.0L / 27},
       {1.0L / 36, 1.0L / 12},
       {1.0L / 24, 0, 1.0L / 8},
       {5.0L / 12, 0, -25.0L / 16, 25.0L / 16},
       {1.0L / 20, 0, 0, 1.0L / 4, 1.0L / 5},
       {-25.0L / 108, 0, 0, 125.0L / 108, -65.0L / 27, 125.0L / 54},
       {31.0L / 300, 0, 0, 0, 61.0L / 225, -2.0L / 9, 13.0L / 900},
       {2, 0, 0, -53.0L / 6, 704.0L / 45, -107.0L / 9, 67.0L / 90, 3},
       {-91.0L / 108, 0, 0, 23.0L / 108, -976.0L / 135, 311.0L / 54, -19.0L / 60, 17.0L / 6, -1.0L / 12},
       {2383.0L / 4100, 0, 0, -341.0L / 164, 4496.0L / 1025, -301.0L / 82, 2133.0L / 4100, 45.0L / 82, 45.0L / 164,
        18.0L / 41},
       {3.0L / 205, 0, 0, 0, 0, -6.0L / 41, -3.0L / 205, -3.0L / 41, 3.0L / 41, 6.0L / 41},
       {-1777.0L / 4100, 0, 0, -341.0L / 164, 4496.0L / 1025, -289.0L / 82, 2193.0L / 4100, 51.0L / 82, 33.0L / 164,
        12.0L / 41, 0, 1}}};
  static const std::array<long double, 13> b = {
      0, 0, 0, 0, 0, 34.0L / 105, 9.0L / 35, 9.0L / 35, 9.0L / 280, 9.0L / 280, 0, 41.0L / 840, 41.0L / 840};
  long double t = from, h = std::min(longest, to - from);
  while (t < to) {
    h = std::min(h, to - t);
    std::array<Value, 13> k;
    for (std::size_t i = 0; i < k.size(); ++i) {
      Value at = y;
      for (std::size_t j = 0; j < i; ++j) at += h * a[i][j] * k[j];
      k[i] = f(t + c[i] * h, at);
    }
    const long double error = std::abs(41.0L / 840 * h * (k[0] + k[10] - k[11] - k[12]));
    const long double allowed = tolerance * (1 + std::abs(y));
    if (error <= allowed || h < 1e-9L) {
      for (std::size_t i = 0; i < k.size(); ++i) y += h * b[i] * k[i];
      t = to - t <= h ? to : t + h;
    }
    const long double ratio = error > 0 ? std::pow(allowed / error, 0.125L) : 2.0L;
    h = std::min(longest, h * std::clamp(0.9L * ratio, 0.2L, 2.0L));
  }
  return y;
}

}  // namespace engine
