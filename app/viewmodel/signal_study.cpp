#include "app/viewmodel/signal_study.h"

#include "app/viewmodel/shown.h"

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
  const engine::SignalTrajectory path = engine::signal_trajectory(problem, study.dt, study.lambda);
  study.time = path.time;
  study.rule = {real_parts(path.euler), real_parts(path.trapezoid), real_parts(path.model)};
  constexpr int fine = 240;
  for (int i = 0; i <= fine; ++i) {
    study.fine_time.push_back(study.duration * i / fine);
    study.exact.push_back(engine::exact_state(problem, study.fine_time.back()).real());
  }

  // Sizes around the head's own step, and small enough for the slopes; the stretch is a few of the largest.
  problem.duration = 4;
  const std::vector<double> sizes = engine::step_sizes(1.0 / 256, 1, 13);
  const engine::SignalErrors errors = engine::signal_errors(problem, study.lambda, sizes);
  study.step = errors.dt;
  study.error = {drawable(errors.euler.local), drawable(errors.trapezoid.local), drawable(errors.model.local)};
  // The slope is that of small steps: the order is a limit.
  const std::size_t small = std::max<std::size_t>(2, errors.dt.size() / 2);
  const auto slope = [&](const std::vector<double>& local) {
    const std::size_t count = std::min(small, local.size());
    // step_sizes ascends, so that the first ones are the smallest.
    return engine::fitted_slope(std::span(errors.dt).first(count), std::span(local).first(count));
  };
  study.slope = {slope(errors.euler.local), slope(errors.trapezoid.local), slope(errors.model.local)};
  return study;
}

}  // namespace app
