// Errors with a known truth: one scalar state h' = mu h + u(t), mu = A - i omega, driven by an input whose solution is
// known in closed form, stepped by the exponential rules (Euler lambda = 1, trapezoid 1/2, any other lambda). For the
// plots of error against step size. Pure functions in double. A is constant here: only then is the trapezoid of second
// order (holding a varying A over a step costs O(dt^2) by itself).
#pragma once

#include "engine/analysis/phi_functions.h"

#include <cstdint>
#include <span>
#include <vector>

namespace engine {

enum class Signal : std::uint8_t { constant, linear, sine, exponential };  // 1, t, sin(rate t), e^(rate t)
const char* name_of(Signal signal);

struct SignalProblem {
  Signal signal = Signal::sine;
  double a = -0.5;       // decay per unit of time, at most 0 for a stable state
  double omega = 0;      // radians per unit of time by which the un-rotated state turns back; 0: the stored frame
  double rate = 1;       // of the sine (radians) or the exponential, per unit of time
  double start = 0;      // h(0)
  double duration = 10;  // from time 0, > 0

  Complex mu() const { return {a, -omega}; }
};

double input_at(const SignalProblem& problem, double time);
Complex exact_state(const SignalProblem& problem, double time);
// The exact input term of a step: integral over [time, time + dt] of e^(mu (time + dt - s)) u(s) ds.
Complex exact_input_term(const SignalProblem& problem, double time, double dt);
// The rule's: dt [(1 - lambda) e^(mu dt) u(time) + lambda u(time + dt)].
Complex rule_input_term(const SignalProblem& problem, double lambda, double time, double dt);

// All rules and the truth on one grid from 0 to the duration: round(duration / dt) steps, at least 1, at most 10^7.
struct SignalTrajectory {
  double dt = 0;  // as used: duration / steps
  std::vector<double> time, input;
  std::vector<Complex> exact, euler, trapezoid, model;
};
SignalTrajectory signal_trajectory(const SignalProblem& problem, double dt, double lambda);

// Largest errors over the grid, for each step size.
struct RuleConvergence {
  std::vector<double> local;   // |rule's input term - exact one| of one step from the truth
  std::vector<double> global;  // |state - truth| after any number of steps
  double local_slope = 0, global_slope = 0;
};
struct SignalErrors {
  std::vector<double> dt;  // as used
  RuleConvergence euler, trapezoid, model;
};
// Slopes: Euler 2 and 1, trapezoid 3 and 2, any other lambda 2 and 1, as dt goes to 0. Step sizes that are not positive
// are left out.
SignalErrors signal_errors(const SignalProblem& problem, double lambda, std::span<const double> steps);

// `count` sizes from `first` to `last`, evenly spaced in their logarithm; both > 0.
std::vector<double> step_sizes(double first, double last, int count);
// Least squares slope of log(error) on log(step) over the points where both are positive and finite; NaN below two.
double fitted_slope(std::span<const double> step, std::span<const double> error);

}  // namespace engine
