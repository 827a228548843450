// Integrals by composite Gauss-Legendre quadrature: a truth that knows nothing of exponential integrators.
#pragma once

#include <array>
#include <complex>

namespace engine {

// Of a complex function over [from, to], five points in each of `panels` parts.
template <class F>
std::complex<double> integral(F f, double from, double to, int panels = 64) {
  constexpr std::array<double, 5> node = {-0.906179845938664, -0.5384693101056831, 0.0, 0.5384693101056831,
                                          0.906179845938664};
  constexpr std::array<double, 5> weight = {0.23692688505618908, 0.47862867049936647, 0.5688888888888889,
                                            0.47862867049936647, 0.23692688505618908};
  std::complex<double> sum = 0;
  const double half = (to - from) / (2.0 * panels);
  for (int panel = 0; panel < panels; ++panel) {
    const double middle = from + (2 * panel + 1) * half;
    for (std::size_t i = 0; i < node.size(); ++i) sum += weight[i] * f(middle + half * node[i]) * half;
  }
  return sum;
}

}  // namespace engine
