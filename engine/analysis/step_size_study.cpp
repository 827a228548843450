#include "engine/analysis/step_size_study.h"

#include "engine/analysis/exact_solution.h"
#include "engine/analysis/trajectory.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace engine {

namespace {

// A size without a square root: at most 1.5 times the magnitude.
double rough_size(Complex z) { return std::abs(z.real()) + std::abs(z.imag()); }

// One rule on its way along the grid.
class Walk {
 public:
  Walk(const TwoPointRule& rule, double lambda) : rule_(&rule), lambda_(lambda) {}

  void hold(Complex mu, double dt) {
    step_ = rule_->step(mu, dt, lambda_);
    alpha_size_ = std::abs(step_.alpha);
  }

  // `h` is the truth at the beginning of the step, from which `u` leads to `after`.
  void advance(const Propagation& truth, Complex h, double u, double after) {
    const Complex alpha_off = step_.alpha - truth.decay;
    const Complex term = step_.beta * u + step_.gamma * after;
    const Complex local = alpha_off * h + (term - truth.input);
    error_ = step_.alpha * error_ + local;
    local_ = std::max(local_, std::norm(local));
    global_ = std::max(global_, std::norm(error_));
    if (!std::isfinite(error_.real()) || !std::isfinite(error_.imag())) exploded_ = true;
    // What rounding may leave: a few ulps of the terms, and of the state where alpha is not the truth's own number.
    constexpr double ulps = 16 * std::numeric_limits<double>::epsilon();
    double size = rough_size(step_.beta * u) + rough_size(step_.gamma * after) + rough_size(truth.input);
    if (alpha_off != 0.0) size += rough_size(h);
    floor_ = std::max(floor_, ulps * size);
    floor_sum_ = alpha_size_ * floor_sum_ + ulps * size;
    floor_global_ = std::max(floor_global_, floor_sum_);
  }

  // The expansion of the same step. Where A varies, only its second order is known.
  void expand(const StepStart& start, double dt, bool varies, double held_at) {
    const LeadingError terms = rule_->leading(start, lambda_);
    Complex local = dt * dt * terms.second;
    if (varies) {
      const double off = held_at - rule_->best_hold;
      if (off == 0 && orders_of(*rule_, lambda_, false).local > 2) expansion_known_ = false;
      local += dt * dt * off * start.a_slope * start.h;
    } else {
      local += dt * dt * dt * terms.third;
    }
    expanded_ = step_.alpha * expanded_ + local;
    leading_ = std::max(leading_, std::norm(local));
    leading_global_ = std::max(leading_global_, std::norm(expanded_));
  }

  void keep(RuleStudy& study, bool smooth) const {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const bool known = smooth && expansion_known_;
    const auto root = [](double squared) { return std::sqrt(squared); };
    study.local.error.push_back(root(local_));
    study.local.floor.push_back(floor_);
    study.local.leading.push_back(known ? root(leading_) : nan);
    study.global.error.push_back(exploded_ ? std::numeric_limits<double>::infinity() : root(global_));
    study.global.floor.push_back(floor_global_);
    study.global.leading.push_back(known ? root(leading_global_) : nan);
  }

 private:
  const TwoPointRule* rule_;
  double lambda_;
  TwoPointStep step_;
  Complex error_, expanded_;
  double local_ = 0, global_ = 0, leading_ = 0, leading_global_ = 0;  // squared
  double alpha_size_ = 0;
  double floor_ = 0, floor_sum_ = 0, floor_global_ = 0;
  bool exploded_ = false, expansion_known_ = true;
};

void walk_along(const SignalProblem& problem, long long count, double dt, std::vector<Walk>& walks) {
  const ExactStepper truth(problem, dt);
  Complex h = problem.start;
  InputValue now = input_values(problem, 0);
  for (Walk& walk : walks) walk.hold(problem.held_mu(0, dt), dt);
  for (long long i = 0; i < count; ++i) {
    const double time = static_cast<double>(i) * dt;
    const InputValue after = input_values(problem, static_cast<double>(i + 1) * dt);
    const Propagation exact = truth.at(time);
    const StepStart start{problem.mu_at(time), h, problem.a_slope(time), now.u, now.du, now.ddu};
    for (Walk& walk : walks) {
      if (problem.varies()) walk.hold(problem.held_mu(time, dt), dt);
      walk.advance(exact, h, now.u, after.u);
      if (problem.smooth()) walk.expand(start, dt, problem.varies(), problem.hold == Hold::end ? 1.0 : 0.5);
    }
    h = exact.decay * h + exact.input;
    now = after;
  }
}

}  // namespace

bool ErrorCurve::all_exact() const {
  for (std::size_t i = 0; i < error.size(); ++i) {
    if (!exact_to_rounding(i)) return false;
  }
  return !error.empty();
}

StepSizeStudy make_step_size_study(const SignalProblem& problem, std::span<const RuleKind> rules,
                                   std::span<const double> steps, const StudyOptions& options) {
  StepSizeStudy out;
  const bool held = problem.varies() && problem.hold == Hold::end;
  for (const RuleKind kind : rules)
    out.rules.push_back({kind, {}, {}, orders_of(two_point_rule(kind), options.lambda, held)});
  for (const double wanted : steps) {
    if (!(wanted > 0)) continue;
    const long long count = step_count(problem, wanted);
    const double dt = problem.duration / static_cast<double>(count);
    std::vector<Walk> walks;
    walks.reserve(rules.size());
    for (const RuleKind kind : rules) walks.emplace_back(two_point_rule(kind), options.lambda);
    walk_along(problem, count, dt, walks);
    out.dt.push_back(dt);
    out.steps.push_back(count);
    for (std::size_t i = 0; i < walks.size(); ++i) walks[i].keep(out.rules[i], problem.smooth());
  }
  for (RuleStudy& rule : out.rules) {
    for (ErrorCurve* curve : {&rule.local, &rule.global})
      curve->fit = fit_slope(out.dt, curve->error, curve->floor, options.fit_first, options.fit_last);
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

double total_steps(const SignalProblem& problem, std::span<const double> steps) {
  double total = 0;
  for (const double dt : steps) {
    if (dt > 0) total += static_cast<double>(step_count(problem, dt));
  }
  return total;
}

}  // namespace engine
