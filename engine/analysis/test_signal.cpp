#include "engine/analysis/test_signal.h"

#include <cmath>

namespace engine {

const char* name_of(Signal signal) {
  switch (signal) {
    case Signal::constant:
      return "constant";
    case Signal::linear:
      return "linear";
    case Signal::sine:
      return "sine";
    case Signal::chirp:
      return "chirp";
    case Signal::exponential:
      return "exponential";
    case Signal::step:
      return "step";
  }
  return "unknown";
}

Complex SignalProblem::mu_at(double time) const {
  return varies() ? Complex(a * (1 + swing * std::sin(swing_rate * time)), -omega) : mu();
}

double SignalProblem::a_slope(double time) const {
  return varies() ? a * swing * swing_rate * std::cos(swing_rate * time) : 0.0;
}

InputValue input_values(const SignalProblem& problem, double time) {
  switch (problem.signal) {
    case Signal::constant:
      return {1, 0, 0};
    case Signal::linear:
      return {time, 1, 0};
    case Signal::sine: {
      const double r = problem.rate, s = std::sin(r * time), c = std::cos(r * time);
      return {s, r * c, -r * r * s};
    }
    case Signal::chirp: {
      const double turn = problem.rate + problem.sweep * time;
      const double phase = (problem.rate + 0.5 * problem.sweep * time) * time;
      const double s = std::sin(phase), c = std::cos(phase);
      return {s, turn * c, problem.sweep * c - turn * turn * s};
    }
    case Signal::exponential: {
      const double e = std::exp(problem.rate * time);
      return {e, problem.rate * e, problem.rate * problem.rate * e};
    }
    case Signal::step:
      return {time < problem.jump ? 0.0 : 1.0, 0, 0};
  }
  return {};
}

double input_at(const SignalProblem& problem, double time) {
  switch (problem.signal) {
    case Signal::sine:
      return std::sin(problem.rate * time);
    case Signal::chirp:
      return std::sin((problem.rate + 0.5 * problem.sweep * time) * time);
    default:
      return input_values(problem, time).u;
  }
}

}  // namespace engine
