// The truth of a test problem: the variation-of-constants formula
//   h(t) = e^(M(t) - M(t0)) h(t0) + integral from t0 to t of e^(M(t) - M(s)) u(s) ds,  M the integral of mu.
// Constant A: closed forms through the phi functions, which know no resonance. The chirp, whose closed form needs the
// complex error function and cancels over short steps, and a varying A take Gauss-Legendre panels short enough that the
// truncation is below 1e-17 (gauss_legendre.h): their error is rounding, a few 1e-16 of the integral of |e^(..) u|.
// Pure functions in double.
#pragma once

#include "engine/analysis/test_signal.h"

#include <vector>

namespace engine {

// One step of the truth: h(time + dt) = decay h(time) + input.
struct Propagation {
  Complex decay, input;
};

// The truth over steps of one size; what all steps share is computed once.
class ExactStepper {
 public:
  ExactStepper(const SignalProblem& problem, double dt);  // dt > 0
  Propagation at(double time) const;

 private:
  Complex quadrature(double time, double from, double to) const;

  SignalProblem problem_;
  double dt_;
  Complex decay_, term_, second_term_;  // of constant A
  std::vector<double> node_, weight_;   // over the step, in units of dt; weights times dt
  std::vector<Complex> kernel_;         // e^(mu (dt - s)) times the weight, of constant A
};

// The exact input term of a step: integral over [time, time + dt] of e^(M(time + dt) - M(s)) u(s) ds.
Complex exact_input_term(const SignalProblem& problem, double time, double dt);

// h(time), for any time from 0 to the duration, without stepping.
Complex exact_state(const SignalProblem& problem, double time);

// By how much the integrand turns or grows over the whole duration, in radians or e-folds: what the work of the quadrature
// grows with, and beyond 1e6 what the sine's argument leaves of its digits.
double total_reach(const SignalProblem& problem);

}  // namespace engine
