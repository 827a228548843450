#include "engine/analysis/test_signal.h"

#include "tests/engine/analysis/quadrature.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace engine;

namespace {

std::vector<SignalProblem> problems() {
  std::vector<SignalProblem> all;
  for (const Signal signal : {Signal::constant, Signal::linear, Signal::sine, Signal::exponential}) {
    for (const double omega : {0.0, 0.9}) {
      SignalProblem problem;
      problem.signal = signal;
      problem.omega = omega;
      problem.rate = signal == Signal::exponential ? -0.3 : 1.3;
      problem.start = 0.7;
      problem.duration = 5;
      all.push_back(problem);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("the exact solution is the integral that defines it") {
  for (SignalProblem problem : problems()) {
    for (const double a : {-0.5, -3.0, 0.0}) {
      problem.a = a;
      CAPTURE(name_of(problem.signal));
      CAPTURE(a);
      const Complex mu = problem.mu();
      for (const double time : {0.01, 1.0, 5.0}) {
        const Complex truth =
            std::exp(mu * time) * problem.start +
            integral([&](double s) { return std::exp(mu * (time - s)) * input_at(problem, s); }, 0, time, 200);
        CHECK(std::abs(exact_state(problem, time) - truth) < 1e-12 * (1 + std::abs(truth)));
        const Complex term = integral([&](double s) { return std::exp(mu * (time + 0.3 - s)) * input_at(problem, s); },
                                      time, time + 0.3, 40);
        CHECK(std::abs(exact_input_term(problem, time, 0.3) - term) < 1e-13 * (1 + std::abs(term)));
      }
    }
  }
}

TEST_CASE("an exponential input at the system's own rate is no special case") {
  SignalProblem problem;
  problem.signal = Signal::exponential;
  problem.a = -0.5;
  problem.rate = -0.5;
  CHECK(exact_state(problem, 3).real() == doctest::Approx(3 * std::exp(-1.5)).epsilon(1e-14));
}

TEST_CASE("errors fall with the step as theory says") {
  const std::vector<double> steps = step_sizes(1e-3, 1e-1, 9);
  for (const SignalProblem& problem : problems()) {
    CAPTURE(name_of(problem.signal));
    CAPTURE(problem.omega);
    const SignalErrors errors = signal_errors(problem, 0.7, steps);
    REQUIRE(errors.dt.size() == 9);
    CHECK(std::abs(errors.euler.local_slope - 2) < 0.05);
    CHECK(std::abs(errors.euler.global_slope - 1) < 0.05);
    CHECK(std::abs(errors.trapezoid.local_slope - 3) < 0.05);
    CHECK(std::abs(errors.trapezoid.global_slope - 2) < 0.05);
    CHECK(std::abs(errors.model.local_slope - 2) < 0.05);
    CHECK(std::abs(errors.model.global_slope - 1) < 0.05);
    const SignalErrors half = signal_errors(problem, 0.5, steps);
    CHECK(half.model.global == half.trapezoid.global);
  }
}

TEST_CASE("a trajectory ends where the errors say") {
  SignalProblem problem;
  problem.duration = 3;
  const SignalTrajectory path = signal_trajectory(problem, 0.11, 0.8);
  REQUIRE(path.time.size() == 28);  // 27 steps
  CHECK(path.dt == doctest::Approx(3.0 / 27));
  CHECK(path.time.back() == doctest::Approx(3));
  const SignalErrors errors = signal_errors(problem, 0.8, std::vector<double>{0.11});
  double euler = 0, trapezoid = 0, model = 0;
  for (std::size_t i = 0; i < path.time.size(); ++i) {
    euler = std::max(euler, std::abs(path.euler[i] - path.exact[i]));
    trapezoid = std::max(trapezoid, std::abs(path.trapezoid[i] - path.exact[i]));
    model = std::max(model, std::abs(path.model[i] - path.exact[i]));
  }
  CHECK(errors.euler.global[0] == doctest::Approx(euler).epsilon(1e-9));
  CHECK(errors.trapezoid.global[0] == doctest::Approx(trapezoid).epsilon(1e-9));
  CHECK(errors.model.global[0] == doctest::Approx(model).epsilon(1e-9));
}

TEST_CASE("odd step sizes and too few points") {
  const SignalProblem problem;
  const SignalErrors none = signal_errors(problem, 0.5, std::vector<double>{0, -1, std::nan("")});
  CHECK(none.dt.empty());
  CHECK(std::isnan(none.euler.local_slope));
  CHECK(signal_errors(problem, 0.5, std::vector<double>{1e9}).dt == std::vector<double>{10});
  CHECK(std::isnan(fitted_slope(std::vector<double>{0.1, 0.1}, std::vector<double>{1, 2})));
  CHECK(fitted_slope(std::vector<double>{1, 2, 4, 8}, std::vector<double>{3, 12, 0, 192}) == doctest::Approx(2));
  const auto sizes = step_sizes(1e-3, 1e-1, 3);
  CHECK(sizes[1] == doctest::Approx(1e-2));
  CHECK(step_sizes(0.5, 2, 1) == std::vector<double>{0.5});
}
