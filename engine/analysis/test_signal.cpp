#include "engine/analysis/test_signal.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace engine {

namespace {

constexpr double trapezoid_lambda = 0.5, euler_lambda = 1.0;

// Integral over a step from `time` of e^(mu (dt - s)) e^(rate (time + s)) ds; no division by rate - mu, so that
// resonance is no special case.
Complex exponential_term(Complex mu, Complex rate, double time, double dt) {
  return std::exp(rate * time + mu * dt) * dt * phi1((rate - mu) * dt);
}

long long count_of(const SignalProblem& problem, double dt) {
  return static_cast<long long>(std::clamp(std::round(problem.duration / dt), 1.0, 1e7));
}

// One rule on its way along the grid.
struct Walk {
  Complex state;
  double local = 0, global = 0;

  void step(const SignalProblem& problem, double lambda, double time, double dt, Complex decay, Complex exact_term,
            Complex exact_after) {
    const Complex term = dt * ((1 - lambda) * decay * input_at(problem, time) + lambda * input_at(problem, time + dt));
    state = decay * state + term;
    local = std::max(local, std::abs(term - exact_term));
    global = std::max(global, std::abs(state - exact_after));
  }
};

}  // namespace

const char* name_of(Signal signal) {
  switch (signal) {
    case Signal::constant:
      return "constant";
    case Signal::linear:
      return "linear";
    case Signal::sine:
      return "sine";
    case Signal::exponential:
      return "exponential";
  }
  return "unknown";
}

double input_at(const SignalProblem& problem, double time) {
  switch (problem.signal) {
    case Signal::constant:
      return 1;
    case Signal::linear:
      return time;
    case Signal::sine:
      return std::sin(problem.rate * time);
    case Signal::exponential:
      return std::exp(problem.rate * time);
  }
  return 0;
}

Complex exact_input_term(const SignalProblem& problem, double time, double dt) {
  const Complex mu = problem.mu(), x = mu * dt;
  switch (problem.signal) {
    case Signal::constant:
      return dt * phi1(x);
    case Signal::linear:
      return time * dt * phi1(x) + dt * dt * phi2(x);
    case Signal::sine: {
      const Complex turn(0, problem.rate);
      return (exponential_term(mu, turn, time, dt) - exponential_term(mu, -turn, time, dt)) / Complex(0, 2);
    }
    case Signal::exponential:
      return exponential_term(mu, problem.rate, time, dt);
  }
  return 0;
}

Complex exact_state(const SignalProblem& problem, double time) {
  return std::exp(problem.mu() * time) * problem.start + exact_input_term(problem, 0, time);
}

Complex rule_input_term(const SignalProblem& problem, double lambda, double time, double dt) {
  return dt *
         ((1 - lambda) * std::exp(problem.mu() * dt) * input_at(problem, time) + lambda * input_at(problem, time + dt));
}

SignalTrajectory signal_trajectory(const SignalProblem& problem, double dt, double lambda) {
  SignalTrajectory out;
  const long long count = count_of(problem, dt);
  out.dt = problem.duration / static_cast<double>(count);
  const Complex decay = std::exp(problem.mu() * out.dt);
  Complex euler = problem.start, trapezoid = problem.start, model = problem.start;
  for (long long i = 0; i <= count; ++i) {
    const double time = static_cast<double>(i) * out.dt;
    if (i > 0) {
      const double before = time - out.dt;
      euler = decay * euler + rule_input_term(problem, euler_lambda, before, out.dt);
      trapezoid = decay * trapezoid + rule_input_term(problem, trapezoid_lambda, before, out.dt);
      model = decay * model + rule_input_term(problem, lambda, before, out.dt);
    }
    out.time.push_back(time);
    out.input.push_back(input_at(problem, time));
    out.exact.push_back(exact_state(problem, time));
    out.euler.push_back(euler);
    out.trapezoid.push_back(trapezoid);
    out.model.push_back(model);
  }
  return out;
}

SignalErrors signal_errors(const SignalProblem& problem, double lambda, std::span<const double> steps) {
  SignalErrors out;
  const auto keep = [](RuleConvergence& rule, const Walk& walk) {
    rule.local.push_back(walk.local);
    rule.global.push_back(walk.global);
  };
  for (const double wanted : steps) {
    if (!(wanted > 0)) continue;
    const long long count = count_of(problem, wanted);
    const double dt = problem.duration / static_cast<double>(count);
    const Complex decay = std::exp(problem.mu() * dt);
    Walk euler{problem.start}, trapezoid{problem.start}, model{problem.start};
    for (long long i = 0; i < count; ++i) {
      const double time = static_cast<double>(i) * dt;
      const Complex term = exact_input_term(problem, time, dt), after = exact_state(problem, time + dt);
      euler.step(problem, euler_lambda, time, dt, decay, term, after);
      trapezoid.step(problem, trapezoid_lambda, time, dt, decay, term, after);
      model.step(problem, lambda, time, dt, decay, term, after);
    }
    out.dt.push_back(dt);
    keep(out.euler, euler);
    keep(out.trapezoid, trapezoid);
    keep(out.model, model);
  }
  for (RuleConvergence* rule : {&out.euler, &out.trapezoid, &out.model}) {
    rule->local_slope = fitted_slope(out.dt, rule->local);
    rule->global_slope = fitted_slope(out.dt, rule->global);
  }
  return out;
}

std::vector<double> step_sizes(double first, double last, int count) {
  std::vector<double> sizes;
  for (int i = 0; i < count; ++i) {
    const double share = count == 1 ? 0.0 : static_cast<double>(i) / (count - 1);
    sizes.push_back(first * std::pow(last / first, share));
  }
  return sizes;
}

double fitted_slope(std::span<const double> step, std::span<const double> error) {
  const auto usable = [](double value) { return value > 0 && std::isfinite(value); };
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < std::min(step.size(), error.size()); ++i) {
    if (!usable(step[i]) || !usable(error[i])) continue;
    const double x = std::log(step[i]), y = std::log(error[i]);
    n += 1;
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
  }
  const double spread = n * sxx - sx * sx;
  if (n < 2 || !(spread > 1e-12)) return std::numeric_limits<double>::quiet_NaN();
  return (n * sxy - sx * sy) / spread;
}

}  // namespace engine
