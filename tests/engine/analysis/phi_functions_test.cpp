#include "engine/analysis/phi_functions.h"

#include "tests/engine/analysis/quadrature.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace engine;

namespace {

const std::vector<Complex> arguments = {
    0.0,    1e-12,          -1e-8,       {0, -1e-6},   {-1e-3, 1e-3}, -0.3,     {-0.7, 0.7}, {-0.6, -0.81}, -0.999,
    -1.001, {-0.01, -3.14}, {-0.2, 6.4}, {-2.5, -1.5}, -8.0,          {-20, 3}, {0, -12},    0.5,           2.0};

}  // namespace

TEST_CASE("phi functions are the integrals that define them") {
  for (const Complex& x : arguments) {
    CAPTURE(x.real());
    CAPTURE(x.imag());
    const Complex first = integral([&](double s) { return std::exp(x * (1 - s)); }, 0, 1);
    const Complex second = integral([&](double s) { return std::exp(x * (1 - s)) * s; }, 0, 1);
    CHECK(std::abs(phi1(x) - first) < 1e-14 * (1 + std::abs(first)));
    CHECK(std::abs(phi2(x) - second) < 1e-14 * (1 + std::abs(second)));
    const StepTerms terms = step_terms(x);
    CHECK(std::abs(terms.decay - std::exp(x)) < 1e-15);
    CHECK(std::abs(terms.exact.now - second) < 1e-14 * (1 + std::abs(second)));
    CHECK(std::abs(terms.exact.previous - (first - second)) < 1e-14 * (1 + std::abs(first)));
  }
}

TEST_CASE("weights of a rule's error are the difference of the weights") {
  for (const Complex& x : arguments) {
    const StepTerms terms = step_terms(x);
    for (const double lambda : {0.0, 0.3, 0.5, 0.77, 1.0}) {
      const InputWeights rule = rule_weights(terms, lambda), error = error_weights(terms, lambda);
      CHECK(std::abs(rule.previous - terms.exact.previous - error.previous) < 4e-15 * (1 + std::abs(terms.decay)));
      CHECK(std::abs(rule.now - terms.exact.now - error.now) < 4e-15);
    }
  }
}

TEST_CASE("the trapezoid's small weights keep their digits") {
  // e^x / 2 - (phi1 - phi2) = x/6 + x^2/8 + ..., 1/2 - phi2 = -x/6 - x^2/24 - ...
  for (const double x : {-1e-3, -1e-6, -1e-9, -1e-12}) {
    const InputWeights w = error_weights(step_terms(x), 0.5);
    CHECK(w.previous.real() == doctest::Approx(x / 6 + x * x / 8 + x * x * x / 20).epsilon(1e-10));
    CHECK(w.now.real() == doctest::Approx(-x / 6 - x * x / 24 - x * x * x / 120).epsilon(1e-10));
  }
}
