// The functions behind exponential integrators, and how far a two-point rule is from the exact input term under the
// linear interpolant of the input. Pure functions in double, without cancellation at small arguments.
//
// Over a step dt of h' = mu h + u(t), with x = mu dt and u linear between u_(t-1) and u_t, the exact input term is
//   E = dt [(phi1(x) - phi2(x)) u_(t-1) + phi2(x) u_t],  phi1 = (e^x - 1) / x,  phi2 = (e^x - 1 - x) / x^2.
// A rule with weight lambda (Mamba-3 paper, generalised trapezoid) has dt [(1 - lambda) e^x u_(t-1) + lambda u_t].
#pragma once

#include <complex>

namespace engine {

using Complex = std::complex<double>;

Complex phi1(Complex x);
Complex phi2(Complex x);

// Weights of the input before and after a step, in units of dt.
struct InputWeights {
  Complex previous, now;
};

// Everything that the rules at one x share.
struct StepTerms {
  Complex decay;           // e^x
  InputWeights exact;      // phi1 - phi2, phi2
  InputWeights trapezoid;  // the trapezoid's weights minus the exact ones, O(x), each computed as its own series
};
StepTerms step_terms(Complex x);

InputWeights rule_weights(const StepTerms& terms, double lambda);
// rule_weights - exact, without the cancellation of that difference.
InputWeights error_weights(const StepTerms& terms, double lambda);

}  // namespace engine
