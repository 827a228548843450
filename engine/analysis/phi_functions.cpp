#include "engine/analysis/phi_functions.h"

#include <array>
#include <cmath>

namespace engine {

namespace {

// Below this the closed forms lose digits and the series are used; 1 / (terms + 2)! is under 1e-19 there.
constexpr double small = 1.0;
constexpr int terms = 18;

struct Series {
  std::array<double, terms> phi1{}, phi2{}, difference{}, trapezoid_previous{}, trapezoid_now{};
};

// Taylor coefficients of x^k:
//   phi1: 1 / (k+1)!      phi2: 1 / (k+2)!      phi1 - phi2: (k+1) / (k+2)!
//   e^x / 2 - (phi1 - phi2): 1 / (2 k!) - (k+1) / (k+2)! = k / (2 (k+2) k!)      1/2 - phi2: 0, then -1 / (k+2)!
Series make_series() {
  Series s;
  double factorial = 1;  // k!
  for (int k = 0; k < terms; ++k) {
    if (k > 0) factorial *= k;
    const auto i = static_cast<std::size_t>(k);
    s.phi1[i] = 1 / (factorial * (k + 1));
    s.phi2[i] = s.phi1[i] / (k + 2);
    s.difference[i] = (k + 1) * s.phi2[i];
    s.trapezoid_previous[i] = k / (2.0 * (k + 2) * factorial);
    s.trapezoid_now[i] = k == 0 ? 0 : -s.phi2[i];
  }
  return s;
}

const Series series = make_series();

Complex sum(const std::array<double, terms>& coefficients, Complex x) {
  const double re = x.real(), im = x.imag();
  double sum_re = 0, sum_im = 0;  // Horner, by hand: std::complex would check every product for NaN
  for (int k = terms - 1; k >= 0; --k) {
    const double next = sum_re * re - sum_im * im + coefficients[static_cast<std::size_t>(k)];
    sum_im = sum_re * im + sum_im * re;
    sum_re = next;
  }
  return {sum_re, sum_im};
}

bool is_small(Complex x) { return std::norm(x) < small * small; }

}  // namespace

Complex phi1(Complex x) { return is_small(x) ? sum(series.phi1, x) : (std::exp(x) - 1.0) / x; }
Complex phi2(Complex x) { return is_small(x) ? sum(series.phi2, x) : (std::exp(x) - 1.0 - x) / (x * x); }

StepTerms step_terms(Complex x) {
  StepTerms out;
  out.decay = std::exp(x);
  if (is_small(x)) {
    out.exact = {sum(series.difference, x), sum(series.phi2, x)};
    out.trapezoid = {sum(series.trapezoid_previous, x), sum(series.trapezoid_now, x)};
    return out;
  }
  const Complex phi_2 = (out.decay - 1.0 - x) / (x * x);
  out.exact = {(out.decay - 1.0) / x - phi_2, phi_2};
  out.trapezoid = {0.5 * out.decay - out.exact.previous, 0.5 - phi_2};
  return out;
}

InputWeights rule_weights(const StepTerms& step, double lambda) { return {(1 - lambda) * step.decay, lambda}; }

InputWeights error_weights(const StepTerms& step, double lambda) {
  return {(0.5 - lambda) * step.decay + step.trapezoid.previous, (lambda - 0.5) + step.trapezoid.now};
}

}  // namespace engine
