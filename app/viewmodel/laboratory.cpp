#include "app/viewmodel/laboratory.h"

#include "app/viewmodel/shown.h"
#include "engine/analysis/trajectory.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace app {

namespace {

void split(const std::vector<engine::Complex>& values, std::vector<double>& re, std::vector<double>& im) {
  re.reserve(values.size());
  im.reserve(values.size());
  for (const engine::Complex z : values) {
    re.push_back(z.real());
    im.push_back(z.imag());
  }
}

LabCurve drawable(const engine::ErrorCurve& curve, int order) {
  LabCurve out{curve.error, curve.leading, curve.fit, curve.all_exact(), order};
  for (std::vector<double>* values : {&out.error, &out.leading}) {
    for (double& v : *values) {
      // An exploding rule would squeeze all others into a line.
      if (!(v > 1e-17) || v > 1e6) v = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return out;
}

// Long enough to see the signal, in steps that a plot can hold.
double path_duration(const LabSettings& settings) {
  const double rate = std::max(std::abs(settings.problem.rate), 1e-3);
  const double wanted = settings.problem.signal == engine::Signal::step ? 2.5 * settings.problem.jump : 1.5 * pi / rate;
  return std::clamp(wanted, 12 * settings.dt, 400 * settings.dt);
}

}  // namespace

HeadValues head_values(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index) {
  HeadValues head;
  if (snapshot.model == nullptr || index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size())) return head;
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::StepCoefficients& step = snapshot.tokens[static_cast<std::size_t>(index)]->coefficients;
  head.a = per_head(config, step.a, selection.layer, selection.head);
  head.dt = per_head(config, step.dt, selection.layer, selection.head);
  head.lambda = per_head(config, step.lambda, selection.layer, selection.head);
  if (selection.frame == Frame::unrotated) {
    const double turn = engine::phase_increment(config, step, selection.layer, selection.head, selection.pair);
    head.omega = head.dt > 0 ? turn / head.dt : 0;
  }
  head.known = std::isfinite(head.a) && std::isfinite(head.omega) && std::isfinite(head.lambda) && head.dt > 1e-6 &&
               head.dt < 10;
  return head;
}

void follow(LabSettings& settings, const HeadValues& head) {
  if (!head.known) return;
  settings.problem.a = head.a;
  settings.problem.omega = head.omega;
  settings.dt = head.dt;
  settings.lambda = head.lambda;
}

LabStudy make_lab_study(const LabSettings& settings) {
  LabStudy study;
  study.settings = settings;
  study.step_turn = std::abs(settings.problem.omega * settings.dt);
  std::vector<engine::RuleKind> kinds;
  for (const engine::TwoPointRule& rule : engine::two_point_rules()) {
    if (settings.shown[static_cast<std::size_t>(rule.kind)]) kinds.push_back(rule.kind);
  }
  engine::SignalProblem problem = settings.problem;
  problem.duration = study.duration = path_duration(settings);
  const engine::Trajectory path = engine::make_trajectory(problem, kinds, settings.lambda, settings.dt);
  study.dt = path.dt;
  study.time = path.time;
  const engine::Trajectory fine = engine::make_trajectory(problem, {}, settings.lambda, problem.duration / 480);
  study.fine_time = fine.time;
  split(fine.exact, study.exact_re, study.exact_im);

  problem.duration = study.error_duration = 2.5;
  const engine::StepSizeStudy errors = engine::make_step_size_study(
      problem, kinds, engine::step_sizes(1e-3, 1, 13), {settings.lambda, settings.fit_first, settings.fit_last});
  study.step = errors.dt;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const engine::RuleStudy& rule = errors.rules[i];
    LabRule& out = study.rules.emplace_back();
    out.kind = kinds[i];
    split(path.rules[i].state, out.re, out.im);
    out.local = drawable(rule.local, rule.orders.local);
    out.global = drawable(rule.global, rule.orders.global);
  }
  return study;
}

}  // namespace app
