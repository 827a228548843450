#include "engine/analysis/phi_functions.h"

#include <array>
#include <cmath>

namespace engine {

namespace {

// Below this the closed forms lose digits and the series is used; its first term left out is under 1e-17 there.
constexpr double small = 1.0;
constexpr int series_terms = 16;

// 1 / (k + 3)!
std::array<double, series_terms> make_series() {
  std::array<double, series_terms> s{};
  double factorial = 2;
  for (int k = 0; k < series_terms; ++k) {
    factorial *= k + 3;
    s[static_cast<std::size_t>(k)] = 1 / factorial;
  }
  return s;
}

const std::array<double, series_terms> series = make_series();

bool is_small(Complex x) { return std::norm(x) < small * small; }

// phi3(x) = (phi2(x) - 1/2) / x = sum x^k / (k+3)!. The others follow from it without cancellation:
// phi2 = 1/2 + x phi3, phi1 = 1 + x phi2, e^x = 1 + x phi1.
Complex phi3_series(Complex x) {
  const double re = x.real(), im = x.imag();
  double sum_re = 0, sum_im = 0;  // Horner, by hand: std::complex would check every product for NaN
  for (int k = series_terms - 1; k >= 0; --k) {
    const double next = sum_re * re - sum_im * im + series[static_cast<std::size_t>(k)];
    sum_im = sum_re * im + sum_im * re;
    sum_re = next;
  }
  return {sum_re, sum_im};
}

Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

}  // namespace

Complex phi1(Complex x) { return is_small(x) ? 1.0 + times(x, phi2(x)) : (std::exp(x) - 1.0) / x; }
Complex phi2(Complex x) { return is_small(x) ? 0.5 + times(x, phi3_series(x)) : (std::exp(x) - 1.0 - x) / (x * x); }

StepTerms step_terms(Complex x) {
  StepTerms out;
  if (is_small(x)) {
    const Complex phi_3 = phi3_series(x), x_phi_3 = times(x, phi_3), phi_2 = 0.5 + x_phi_3;
    const Complex phi_1 = 1.0 + times(x, phi_2);
    out.decay = 1.0 + times(x, phi_1);
    out.exact = {phi_1 - phi_2, phi_2};
    // e^x / 2 - (phi1 - phi2) = x (phi3 + x (phi2 / 2 - phi3)), 1/2 - phi2 = -x phi3
    out.trapezoid = {times(x, phi_3 + times(x, 0.5 * phi_2 - phi_3)), -x_phi_3};
    return out;
  }
  out.decay = std::exp(x);
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
