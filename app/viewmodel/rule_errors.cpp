#include "app/viewmodel/rule_errors.h"

#include "app/viewmodel/shown.h"
#include "engine/analysis/rotation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace app {

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

double drawable(float error) {
  const auto value = static_cast<double>(error);
  return std::isfinite(value) && value > 0 ? value : missing;
}

std::array<double, 3> errors_of(const engine::TokenRecord& record, Frame frame, std::size_t at) {
  const auto& errors = frame == Frame::unrotated ? record.error_unrotated : record.error_stored;
  if (at >= errors.size()) return {missing, missing, missing};
  return {drawable(errors[at].euler), drawable(errors[at].trapezoid), drawable(errors[at].model)};
}

std::int64_t window_start(std::int64_t index, int max_tokens) {
  return std::max<std::int64_t>(0, index + 1 - std::max(max_tokens, 1));
}

bool holds(const engine::Snapshot& snapshot, std::int64_t index) {
  return snapshot.model != nullptr && index >= 0 && index < static_cast<std::int64_t>(snapshot.tokens.size());
}

}  // namespace

ErrorSeries make_error_series(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                              int max_tokens) {
  ErrorSeries series;
  if (!holds(snapshot, index)) return series;
  const engine::ModelConfig& config = snapshot.model->config();
  const std::size_t at = static_cast<std::size_t>(selection.layer) * static_cast<std::size_t>(config.heads()) +
                         static_cast<std::size_t>(selection.head);
  for (std::int64_t t = window_start(index, max_tokens); t <= index; ++t) {
    const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(t)];
    series.token.push_back(static_cast<double>(t));
    const std::array<double, 3> values = errors_of(record, selection.frame, at);
    for (std::size_t rule = 0; rule < 3; ++rule) {
      series.error[rule].push_back(values[rule]);
      if (std::isnan(values[rule])) continue;
      series.low = series.any ? std::min(series.low, values[rule]) : values[rule];
      series.high = series.any ? std::max(series.high, values[rule]) : values[rule];
      series.any = true;
    }
    for (int pair = 0; pair < config.angles(); ++pair) {
      const double turn =
          std::abs(engine::phase_increment(config, record.coefficients, selection.layer, selection.head, pair));
      if (std::isfinite(turn)) series.fastest_turn = std::max(series.fastest_turn, turn);
    }
  }
  return series;
}

CoefficientSeries make_coefficient_series(const engine::Snapshot& snapshot, const Selection& selection,
                                          std::int64_t index, int max_tokens) {
  CoefficientSeries series;
  if (!holds(snapshot, index)) return series;
  const engine::ModelConfig& config = snapshot.model->config();
  for (std::int64_t t = window_start(index, max_tokens); t <= index; ++t) {
    const engine::StepCoefficients& step = snapshot.tokens[static_cast<std::size_t>(t)]->coefficients;
    const auto value = [&](const std::vector<float>& all) {
      return per_head(config, all, selection.layer, selection.head);
    };
    series.token.push_back(static_cast<double>(t));
    series.lambda.push_back(value(step.lambda));
    series.alpha.push_back(value(step.alpha));
    series.beta.push_back(value(step.beta));
    series.gamma.push_back(value(step.gamma));
    series.dt.push_back(value(step.dt));
  }
  return series;
}

ErrorSpread spread_of(std::array<std::vector<double>, 3> errors, int bins) {
  ErrorSpread spread;
  spread.median = {missing, missing, missing};
  if (bins < 1) return spread;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  const std::size_t heads = std::max({errors[0].size(), errors[1].size(), errors[2].size()});
  for (std::size_t head = 0; head < heads; ++head) {
    bool counted = false;
    for (std::vector<double>& values : errors) {
      if (head >= values.size()) continue;
      double& value = values[head];
      value = std::isfinite(value) && value > 0 ? std::log10(value) : missing;
      if (std::isnan(value)) continue;
      counted = true;
      low = std::min(low, value);
      high = std::max(high, value);
    }
    if (counted) ++spread.heads;
  }
  if (spread.heads == 0) return spread;
  if (high - low < 0.5) {
    const double middle = (high + low) / 2;
    low = middle - 0.25;
    high = middle + 0.25;
  }
  spread.width = (high - low) / bins;
  for (int bin = 0; bin < bins; ++bin) spread.centre.push_back(low + (bin + 0.5) * spread.width);
  for (std::size_t rule = 0; rule < 3; ++rule) {
    std::vector<double>& logs = errors[rule];
    logs.erase(std::remove_if(logs.begin(), logs.end(), [](double v) { return std::isnan(v); }), logs.end());
    spread.count[rule].assign(static_cast<std::size_t>(bins), 0.0);
    for (const double value : logs) {
      const int bin = std::clamp(static_cast<int>((value - low) / spread.width), 0, bins - 1);
      spread.count[rule][static_cast<std::size_t>(bin)] += 1;
    }
    if (logs.empty()) continue;
    const auto middle = logs.begin() + static_cast<std::ptrdiff_t>(logs.size() / 2);
    std::nth_element(logs.begin(), middle, logs.end());
    spread.median[rule] = std::pow(10.0, *middle);
  }
  return spread;
}

ErrorSpread make_error_spread(const engine::Snapshot& snapshot, std::int64_t index, Frame frame, int bins) {
  if (!holds(snapshot, index)) return spread_of({}, bins);
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(index)];
  const std::size_t heads = static_cast<std::size_t>(config.n_layer) * static_cast<std::size_t>(config.heads());
  std::array<std::vector<double>, 3> errors;
  for (std::size_t at = 0; at < heads; ++at) {
    const std::array<double, 3> values = errors_of(record, frame, at);
    for (std::size_t rule = 0; rule < 3; ++rule) errors[rule].push_back(values[rule]);
  }
  return spread_of(std::move(errors), bins);
}

}  // namespace app
