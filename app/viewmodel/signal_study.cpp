#include "app/viewmodel/signal_study.h"

#include "app/viewmodel/shown.h"
#include "engine/analysis/step_size_study.h"
#include "engine/analysis/trajectory.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace app {

namespace {

std::vector<double> drawable(const std::vector<double>& values) {
  std::vector<double> out = values;
  for (double& v : out) {
    if (!(v > 0) || !std::isfinite(v)) v = std::numeric_limits<double>::quiet_NaN();
  }
  return out;
}

std::vector<double> real_parts(const std::vector<engine::Complex>& values) {
  std::vector<double> out;
  out.reserve(values.size());
  for (const engine::Complex z : values) out.push_back(z.real());
  return out;
}

}  // namespace

SignalStudy make_signal_study(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                              double rate) {
  SignalStudy study;
  if (snapshot.model == nullptr || index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size()))
    return study;
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::StepCoefficients& step = snapshot.tokens[static_cast<std::size_t>(index)]->coefficients;
  study.a = per_head(config, step.a, selection.layer, selection.head);
  study.dt = per_head(config, step.dt, selection.layer, selection.head);
  study.lambda = per_head(config, step.lambda, selection.layer, selection.head);
  if (selection.frame == Frame::unrotated) {
    const double turn = engine::phase_increment(config, step, selection.layer, selection.head, selection.pair);
    study.omega = study.dt > 0 ? turn / study.dt : 0;
  }
  study.known = std::isfinite(study.a) && std::isfinite(study.omega) && std::isfinite(study.lambda) &&
                study.dt > 1e-6 && study.dt < 1e3;
  if (!study.known) return study;

  engine::SignalProblem problem;
  problem.signal = engine::Signal::sine;
  problem.a = study.a;
  problem.omega = study.omega;
  problem.rate = rate;
  problem.duration = study.duration = std::max(12 * study.dt, 0.5 * pi / std::max(rate, 1e-3));
  // A tiny step over a long stretch would make thousands of points that no plot can show.
  problem.duration = study.duration = std::min(study.duration, 400 * study.dt);
  constexpr std::array kinds = {engine::RuleKind::exponential_euler, engine::RuleKind::exponential_trapezoid,
                                engine::RuleKind::generalised_trapezoid};
  const engine::Trajectory path = engine::make_trajectory(problem, kinds, study.lambda, study.dt);
  study.time = path.time;
  for (std::size_t i = 0; i < kinds.size(); ++i) study.rule[i] = real_parts(path.rules[i].state);
  const engine::Trajectory fine = engine::make_trajectory(problem, {}, study.lambda, problem.duration / 240);
  study.fine_time = fine.time;
  study.exact = real_parts(fine.exact);

  // Sizes around the head's own step, and small enough for the slopes; the stretch is a few of the largest.
  problem.duration = 4;
  const std::vector<double> sizes = engine::step_sizes(1.0 / 256, 1, 13);
  // The slopes are those of small steps: the order is a limit.
  const engine::StepSizeStudy errors =
      engine::make_step_size_study(problem, kinds, sizes, {study.lambda, sizes.front(), sizes[sizes.size() / 2 - 1]});
  study.step = errors.dt;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    study.error[i] = drawable(errors.rules[i].local.error);
    study.slope[i] = errors.rules[i].local.fit.slope;
  }
  return study;
}

}  // namespace app
