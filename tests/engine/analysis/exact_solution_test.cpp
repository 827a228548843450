#include "engine/analysis/exact_solution.h"

#include "engine/analysis/gauss_legendre.h"
#include "engine/analysis/trajectory.h"
#include "tests/engine/analysis/adaptive_integrator.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

using namespace engine;

namespace {

using Wide = std::complex<long double>;

// The input once more, in long double.
long double input(const SignalProblem& p, long double t) {
  const long double rate = p.rate, sweep = p.sweep;
  switch (p.signal) {
    case Signal::constant:
      return 1;
    case Signal::linear:
      return t;
    case Signal::sine:
      return std::sin(rate * t);
    case Signal::chirp:
      return std::sin(rate * t + sweep * t * t / 2);
    case Signal::exponential:
      return std::exp(rate * t);
    case Signal::step:
      return 0;  // in parts, below
  }
  return 0;
}

Wide integrated(const SignalProblem& p, double from, double to, Wide y) {
  const auto slope = [&](long double level) {
    return [&p, level](long double t, Wide state) {
      const long double a = p.a * (1 + static_cast<long double>(p.swing) * std::sin(p.swing_rate * t));
      return Wide(a, -p.omega) * state + (p.signal == Signal::step ? level : input(p, t));
    };
  };
  if (p.signal != Signal::step) return integrate_adaptively(slope(0), y, from, to);
  const double jump = std::clamp(p.jump, from, to);
  return integrate_adaptively(slope(1), integrate_adaptively(slope(0), y, from, jump), jump, to);
}

// Every signal with many mu, decaying, turning fast, free and slowly growing.
std::vector<SignalProblem> problems(double swing) {
  std::vector<SignalProblem> all;
  std::mt19937 random(5);
  std::uniform_real_distribution<double> unit(0, 1);
  for (const Signal signal : all_signals) {
    for (int i = 0; i < 10; ++i) {
      SignalProblem p;
      p.signal = signal;
      p.a = i == 0 ? 0.0 : i == 1 ? 0.1 : -0.01 * std::pow(600.0, unit(random));
      p.omega = i % 3 == 0 ? 0.0 : 6.3 * (unit(random) - 0.5);
      p.rate = signal == Signal::exponential ? unit(random) - 0.8 : 0.3 + 3 * unit(random);
      p.sweep = 2 * unit(random) - 0.6;
      p.jump = 2.3 * unit(random);
      p.start = unit(random);
      p.duration = 4;
      p.swing = swing;
      p.swing_rate = 0.4 + 2 * unit(random);
      all.push_back(p);
    }
  }
  return all;
}

void check_against_integrator(double swing) {
  for (const SignalProblem& p : problems(swing)) {
    CAPTURE(name_of(p.signal));
    CAPTURE(p.a);
    CAPTURE(p.omega);
    Wide truth = p.start;
    double before = 0;
    for (const double time : {0.37, 2.0, 4.0}) {
      truth = integrated(p, before, time, truth);
      before = time;
      const Wide ours = exact_state(p, time);
      CHECK(static_cast<double>(std::abs(ours - truth)) < 1e-14 * (1 + static_cast<double>(std::abs(truth))));
    }
    for (const double dt : {0.01, 0.3, 1.7}) {
      const Wide term = integrated(p, 1.1, 1.1 + dt, 0);
      CHECK(static_cast<double>(std::abs(Wide(exact_input_term(p, 1.1, dt)) - term)) <
            1e-15 * (1 + static_cast<double>(std::abs(term))));
    }
  }
}

}  // namespace

TEST_CASE("the exact solutions are those of an adaptive integrator, for every signal and many mu") {
  check_against_integrator(0);
}

TEST_CASE("and so they are where A varies") { check_against_integrator(0.8); }

TEST_CASE("stepping the truth and solving at once agree") {
  for (const double swing : {0.0, 0.6}) {
    for (const SignalProblem& p : problems(swing)) {
      const Trajectory path = make_trajectory(p, {}, 0.5, 0.07);
      CAPTURE(name_of(p.signal));
      CHECK(std::abs(path.exact.back() - exact_state(p, p.duration)) < 2e-14 * (1 + std::abs(path.exact.back())));
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

TEST_CASE("Gauss-Legendre rules integrate polynomials up to twice their points") {
  for (const int points : {1, 4, 8, 16}) {
    const GaussLegendre rule = gauss_legendre(points);
    for (int power = 0; power < 2 * points; ++power) {
      long double sum = 0;
      for (std::size_t i = 0; i < rule.node.size(); ++i) sum += rule.weight[i] * std::pow(rule.node[i], power);
      CHECK(static_cast<double>(std::abs(sum * (power + 1) - 1)) < 1e-16);
    }
  }
}
