// What the rules make of a test problem at one step size, beside the truth. Pure, double.
#pragma once

#include "engine/analysis/test_signal.h"
#include "engine/analysis/two_point_rules.h"

#include <span>
#include <vector>

namespace engine {

// Number of steps of about `dt` that fill the duration: at least 1, at most 10^7.
long long step_count(const SignalProblem& problem, double dt);

struct RulePath {
  RuleKind kind;
  std::vector<Complex> state;
};
// All on the grid from 0 to the duration, both included.
struct Trajectory {
  double dt = 0;  // as used: duration / steps
  std::vector<double> time, input;
  std::vector<Complex> exact;
  std::vector<RulePath> rules;  // as asked for
};
Trajectory make_trajectory(const SignalProblem& problem, std::span<const RuleKind> rules, double lambda, double dt);

}  // namespace engine
