#include "engine/analysis/trajectory.h"

#include "engine/analysis/exact_solution.h"

#include <algorithm>
#include <cmath>

namespace engine {

long long step_count(const SignalProblem& problem, double dt) {
  return static_cast<long long>(std::clamp(std::round(problem.duration / dt), 1.0, 1e7));
}

Trajectory make_trajectory(const SignalProblem& problem, std::span<const RuleKind> rules, double lambda, double dt) {
  const long long count = step_count(problem, dt);
  Trajectory out;
  out.dt = problem.duration / static_cast<double>(count);
  for (const RuleKind kind : rules) out.rules.push_back({kind, {problem.start}});
  out.time = {0};
  out.input = {input_at(problem, 0)};
  out.exact = {problem.start};
  const ExactStepper truth(problem, out.dt);
  for (long long i = 1; i <= count; ++i) {
    const double before = out.time.back(), now = static_cast<double>(i) * out.dt, u = out.input.back();
    const Propagation exact = truth.at(before);
    out.time.push_back(now);
    out.input.push_back(input_at(problem, now));
    out.exact.push_back(exact.decay * out.exact.back() + exact.input);
    const Complex mu = problem.held_mu(before, out.dt);
    for (RulePath& path : out.rules) {
      const TwoPointStep step = two_point_rule(path.kind).step(mu, out.dt, lambda);
      path.state.push_back(step.alpha * path.state.back() + step.beta * u + step.gamma * out.input.back());
    }
  }
  return out;
}

}  // namespace engine
