#include "engine/analysis/step_size_study.h"

#include "engine/analysis/trajectory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace engine;

namespace {

std::vector<RuleKind> every_rule() {
  std::vector<RuleKind> kinds;
  for (const TwoPointRule& rule : two_point_rules()) kinds.push_back(rule.kind);
  return kinds;
}

std::vector<SignalProblem> smooth_problems() {
  std::vector<SignalProblem> all;
  for (const Signal signal : {Signal::sine, Signal::chirp, Signal::exponential}) {
    for (const double omega : {0.0, 0.9}) {
      SignalProblem problem;
      problem.signal = signal;
      problem.omega = omega;
      problem.rate = signal == Signal::exponential ? -0.3 : 1.3;
      problem.sweep = 0.2;
      problem.start = 0.7;
      problem.duration = 5;
      all.push_back(problem);
    }
  }
  return all;
}

StepSizeStudy study_of(const SignalProblem& problem, double lambda, double first = 1e-3, double last = 1e-1) {
  const auto rules = every_rule();
  return make_step_size_study(problem, rules, step_sizes(first, last, 9), {lambda, first, last});
}

const RuleStudy& of(const StepSizeStudy& study, RuleKind kind) { return study.rules[static_cast<std::size_t>(kind)]; }

bool near(double a, double b) { return std::abs(a - b) < 0.05; }

}  // namespace

TEST_CASE("errors fall with the step as theory says, for every rule, between steps of 1e-3 and 1e-1") {
  for (const SignalProblem& problem : smooth_problems()) {
    CAPTURE(name_of(problem.signal));
    CAPTURE(problem.omega);
    for (const double lambda : {0.7, 0.5}) {
      for (const RuleStudy& rule : study_of(problem, lambda).rules) {
        CAPTURE(two_point_rule(rule.kind).name);
        CHECK(near(rule.local.fit.slope, rule.orders.local));
        CHECK(near(rule.global.fit.slope, rule.orders.global));
        CHECK(rule.local.fit.half_width < 0.05);
        CHECK(rule.local.fit.points == 9);
        CHECK(rule.local.fit.first == doctest::Approx(1e-3).epsilon(1e-3));
        CHECK(rule.local.fit.last == doctest::Approx(1e-1).epsilon(1e-2));
      }
    }
  }
}

TEST_CASE("the leading terms are within 1 % of the measured errors at small steps, local and global") {
  for (SignalProblem problem : smooth_problems()) {
    for (const double swing : {0.0, 0.7}) {
      problem.swing = swing;
      for (const double lambda : {0.9, 0.5, 0.2}) {
        for (const RuleStudy& rule : study_of(problem, lambda, 2e-4, 2e-3).rules) {
          CAPTURE(name_of(problem.signal));
          CAPTURE(two_point_rule(rule.kind).name);
          CAPTURE(swing);
          for (const ErrorCurve* curve : {&rule.local, &rule.global}) {
            for (std::size_t i = 0; i < curve->error.size(); ++i)
              CHECK(curve->leading[i] == doctest::Approx(curve->error[i]).epsilon(0.01));
          }
        }
      }
    }
  }
}

TEST_CASE("first-order hold is exact on linear input and both holds on constant input, to rounding") {
  for (const double omega : {0.0, 2.0}) {
    for (const Signal signal : {Signal::constant, Signal::linear}) {
      SignalProblem problem;
      problem.signal = signal;
      problem.omega = omega;
      problem.duration = 4;
      const StepSizeStudy study = study_of(problem, 0.7, 1e-2, 1);
      const auto exact = [&](RuleKind kind) {
        const RuleStudy& rule = of(study, kind);
        CHECK(std::isnan(rule.local.fit.slope));
        for (std::size_t i = 0; i < study.dt.size(); ++i) {
          CHECK(rule.local.error[i] <= rule.local.floor[i]);
          CHECK(rule.local.error[i] < 1e-14);
          CHECK(rule.global.error[i] < 1e-14);
        }
      };
      exact(RuleKind::first_order_hold);
      if (signal == Signal::constant) exact(RuleKind::zero_order_hold);
      CHECK(of(study, RuleKind::exponential_euler).local.error.back() > 1e-2);
    }
  }
}

TEST_CASE("a varying A, held over the step at its end, takes second order away; held at its middle, it returns") {
  for (SignalProblem problem : smooth_problems()) {
    problem.swing = 0.8;
    problem.swing_rate = 1.7;
    const StepSizeStudy end = study_of(problem, 0.5);
    problem.hold = Hold::middle;
    const StepSizeStudy middle = study_of(problem, 0.5);
    for (const RuleKind kind : {RuleKind::exponential_trapezoid, RuleKind::first_order_hold, RuleKind::bilinear}) {
      CAPTURE(two_point_rule(kind).name);
      CHECK(near(of(end, kind).local.fit.slope, 2));
      CHECK(near(of(end, kind).global.fit.slope, 1));
      CHECK(of(end, kind).orders.local == 2);
      CHECK(near(of(middle, kind).local.fit.slope, 3));
      CHECK(near(of(middle, kind).global.fit.slope, 2));
    }
  }
}

TEST_CASE("a jump inside a step costs every rule its order, and no expansion is claimed") {
  SignalProblem problem;
  problem.signal = Signal::step;
  problem.jump = std::sqrt(1.7);
  problem.duration = 4;
  for (const RuleStudy& rule : study_of(problem, 0.7).rules) {
    CAPTURE(two_point_rule(rule.kind).name);
    CHECK(rule.local.fit.slope < 1.3);
    CHECK(std::isnan(rule.local.leading[0]));
  }
}

TEST_CASE("errors are those of a trajectory at the same step") {
  for (const double swing : {0.0, 0.5}) {
    SignalProblem problem;
    problem.duration = 3;
    problem.start = 0.4;
    problem.omega = 0.6;
    problem.swing = swing;
    const auto rules = every_rule();
    const Trajectory path = make_trajectory(problem, rules, 0.8, 0.11);
    REQUIRE(path.time.size() == 28);  // 27 steps
    CHECK(path.dt == doctest::Approx(3.0 / 27));
    CHECK(path.time.back() == doctest::Approx(3));
    const StepSizeStudy study = make_step_size_study(problem, rules, std::vector<double>{0.11}, {0.8, 1e-3, 1});
    CHECK(study.steps == std::vector<long long>{27});
    for (std::size_t r = 0; r < rules.size(); ++r) {
      double global = 0, local = 0;
      for (std::size_t i = 0; i < path.time.size(); ++i) {
        global = std::max(global, std::abs(path.rules[r].state[i] - path.exact[i]));
        if (i + 1 == path.time.size()) continue;
        const TwoPointStep step = two_point_rule(rules[r]).step(problem.held_mu(path.time[i], path.dt), path.dt, 0.8);
        local = std::max(local, std::abs(step.alpha * path.exact[i] + step.beta * path.input[i] +
                                         step.gamma * path.input[i + 1] - path.exact[i + 1]));
      }
      CAPTURE(two_point_rule(rules[r]).name);
      CHECK(study.rules[r].global.error[0] == doctest::Approx(global).epsilon(1e-9));
      CHECK(study.rules[r].local.error[0] == doctest::Approx(local).epsilon(1e-9));
    }
  }
}

TEST_CASE("explicit Euler explodes outside its disc, and the fit leaves that out") {
  SignalProblem problem;
  problem.a = -30;
  problem.duration = 200;
  const std::vector<double> steps = step_sizes(1e-2, 1, 9);
  const StepSizeStudy study =
      make_step_size_study(problem, std::vector{RuleKind::forward_euler}, steps, {0.5, 1e-2, 1});
  CHECK_FALSE(std::isfinite(study.rules[0].global.error.back()));
  CHECK(study.rules[0].global.fit.points < 9);
  CHECK(study.rules[0].global.error.front() < 1);
}

TEST_CASE("odd step sizes") {
  const SignalProblem problem;
  const auto rules = every_rule();
  const StepSizeStudy none = make_step_size_study(problem, rules, std::vector<double>{0, -1, std::nan("")}, {});
  CHECK(none.dt.empty());
  CHECK(std::isnan(none.rules[0].local.fit.slope));
  CHECK(make_step_size_study(problem, rules, std::vector<double>{1e9}, {}).dt == std::vector<double>{10});
  CHECK(total_steps(problem, std::vector<double>{0.1, 1, -3}) == 110);
  const auto sizes = step_sizes(1e-3, 1e-1, 3);
  CHECK(sizes[1] == doctest::Approx(1e-2));
  CHECK(step_sizes(0.5, 2, 1) == std::vector<double>{0.5});
}
