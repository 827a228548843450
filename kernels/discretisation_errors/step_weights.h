// What the two inputs of a step are weighed with: by the exact solution, and by what a rule is off. Real numbers for re and
// im, constexpr, so that host and device compile the same lines; what needs exp, sin and cos is handed in.
#pragma once

namespace kernels::discretisation {

// Complex weights of the input before and of this one, in units of dt.
struct Weights {
  double before_re = 0, before_im = 0, now_re = 0, now_im = 0;
};

// Everything that the rules at one x share.
struct Step {
  double decay_re = 0, decay_im = 0;  // e^x
  Weights exact;                      // phi1 - phi2, phi2
  Weights trapezoid;                  // the trapezoid's minus the exact ones
};

// Below that the closed forms lose digits; 12 terms of the series leave out less than 1e-12.
constexpr bool near_zero(double re, double im) { return re * re + im * im < 1.0; }

// For |x| < 1. phi3(x) = sum x^k / (k + 3)!; phi2 = 1/2 + x phi3, phi1 = 1 + x phi2, e^x = 1 + x phi1, and the trapezoid is
// off by x (phi3 + x (phi2 / 2 - phi3)) and -x phi3, none of them a difference of like numbers.
constexpr Step step_by_series(double re, double im) {
  constexpr int terms = 12;
  // 1 / (k + 3)!
  constexpr double share[terms] = {1.0 / 6,        1.0 / 24,        1.0 / 120,        1.0 / 720,
                                   1.0 / 5040,     1.0 / 40320,     1.0 / 362880,     1.0 / 3628800,
                                   1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200};
  double phi3_re = share[terms - 1], phi3_im = 0;
  for (int k = terms - 2; k >= 0; --k) {
    const double next = phi3_re * re - phi3_im * im + share[k];
    phi3_im = phi3_re * im + phi3_im * re;
    phi3_re = next;
  }
  const double x3_re = phi3_re * re - phi3_im * im, x3_im = phi3_re * im + phi3_im * re;
  const double phi2_re = 0.5 + x3_re, phi2_im = x3_im;
  const double phi1_re = 1 + (phi2_re * re - phi2_im * im), phi1_im = phi2_re * im + phi2_im * re;
  const double inner_re = 0.5 * phi2_re - phi3_re, inner_im = 0.5 * phi2_im - phi3_im;
  const double sum2_re = phi3_re + (inner_re * re - inner_im * im), sum2_im = phi3_im + (inner_re * im + inner_im * re);
  Step step;
  step.decay_re = 1 + (phi1_re * re - phi1_im * im);
  step.decay_im = phi1_re * im + phi1_im * re;
  step.exact = {phi1_re - phi2_re, phi1_im - phi2_im, phi2_re, phi2_im};
  step.trapezoid = {sum2_re * re - sum2_im * im, sum2_re * im + sum2_im * re, -x3_re, -x3_im};
  return step;
}

// For all other x; `decay` is e^x.
constexpr Step step_in_closed_form(double re, double im, double decay_re, double decay_im) {
  const double square = re * re + im * im, inverse_re = re / square, inverse_im = -im / square;
  const double grown_re = decay_re - 1, phi1_re = grown_re * inverse_re - decay_im * inverse_im,
               phi1_im = grown_re * inverse_im + decay_im * inverse_re;
  const double rest_re = phi1_re - 1;  // phi2 = (phi1 - 1) / x
  const double phi2_re = rest_re * inverse_re - phi1_im * inverse_im,
               phi2_im = rest_re * inverse_im + phi1_im * inverse_re;
  Step step;
  step.decay_re = decay_re;
  step.decay_im = decay_im;
  step.exact = {phi1_re - phi2_re, phi1_im - phi2_im, phi2_re, phi2_im};
  step.trapezoid = {0.5 * decay_re - step.exact.before_re, 0.5 * decay_im - step.exact.before_im, 0.5 - phi2_re,
                    -phi2_im};
  return step;
}

// A rule's weights minus the exact ones.
constexpr Weights error_weights(const Step& step, double lambda) {
  const double more = lambda - 0.5;
  return {step.trapezoid.before_re - more * step.decay_re, step.trapezoid.before_im - more * step.decay_im,
          step.trapezoid.now_re + more, step.trapezoid.now_im};
}

// Inner products of the inputs before (p) and now (n), of one pair of channels or summed over several.
struct Products {
  double pp = 0, nn = 0, pn_re = 0, pn_im = 0;
};

// |c_p u_p + c_n u_n|^2.
constexpr double norm_squared(const Products& u, const Weights& c) {
  const double cross_re = c.before_re * c.now_re + c.before_im * c.now_im;
  const double cross_im = c.before_im * c.now_re - c.before_re * c.now_im;
  return (c.before_re * c.before_re + c.before_im * c.before_im) * u.pp +
         (c.now_re * c.now_re + c.now_im * c.now_im) * u.nn + 2 * (cross_re * u.pn_re - cross_im * u.pn_im);
}

// The same for real weights, as they are in the stored frame and for pairs that do not turn: what pp, nn and pn_re are
// multiplied by.
struct Form {
  double pp, nn, pn;
};
constexpr Form form_of(const Weights& c) {
  return {c.before_re * c.before_re, c.now_re * c.now_re, 2 * c.before_re * c.now_re};
}

// Stored keys turned back: the product of the two tokens' keys by e^(i increment).
constexpr Products turned_back(const Products& u, double cosine, double sine) {
  return {u.pp, u.nn, cosine * u.pn_re - sine * u.pn_im, sine * u.pn_re + cosine * u.pn_im};
}

}  // namespace kernels::discretisation
