#include "engine/analysis/gauss_legendre.h"

#include <cmath>
#include <cstddef>

namespace engine {

GaussLegendre gauss_legendre(int points) {
  constexpr long double pi = 3.14159265358979323846264338327950288L;
  GaussLegendre rule;
  for (int i = points; i >= 1; --i) {
    long double x = std::cos(pi * (static_cast<long double>(i) - 0.25L) / (static_cast<long double>(points) + 0.5L));
    long double slope = 1;
    for (int round = 0; round < 100; ++round) {
      long double before = 0, value = 1;  // Legendre's polynomials of degree k - 1 and k
      for (int k = 0; k < points; ++k) {
        const auto degree = static_cast<long double>(k);
        const long double next = ((2 * degree + 1) * x * value - degree * before) / (degree + 1);
        before = value;
        value = next;
      }
      slope = static_cast<long double>(points) * (x * value - before) / (x * x - 1);
      const long double move = value / slope;
      x -= move;
      if (std::abs(move) < 1e-19L) break;
    }
    rule.node.push_back((x + 1) / 2);
    rule.weight.push_back(1 / ((1 - x * x) * slope * slope));
  }
  return rule;
}

const GaussLegendre& gauss_legendre_for(double reach) {
  static const GaussLegendre four = gauss_legendre(4), eight = gauss_legendre(8), sixteen = gauss_legendre(16);
  return reach <= 0.1 ? four : reach <= 2 ? eight : sixteen;
}

}  // namespace engine
