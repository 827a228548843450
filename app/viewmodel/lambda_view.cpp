#include "app/viewmodel/lambda_view.h"

#include "app/viewmodel/shown.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace app {

namespace {

bool holds(const engine::Snapshot& snapshot, std::int64_t index) {
  return snapshot.model != nullptr && index >= 0 && index < static_cast<std::int64_t>(snapshot.tokens.size());
}

void to_shares(std::vector<double>& counts, double total) {
  for (double& count : counts) count = total > 0 ? count / total : 0;
}

}  // namespace

LambdaSpread make_lambda_spread(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                                int max_tokens) {
  LambdaSpread spread;
  spread.own = std::numeric_limits<double>::quiet_NaN();
  if (!holds(snapshot, index)) return spread;
  for (int bin = 0; bin < LambdaSpread::bins; ++bin) spread.centre.push_back((bin + 0.5) / LambdaSpread::bins);
  spread.now.assign(LambdaSpread::bins, 0);
  spread.over_tokens.assign(LambdaSpread::bins, 0);
  double counted = 0;
  for (std::int64_t t = std::max<std::int64_t>(0, index + 1 - std::max(max_tokens, 1)); t <= index; ++t) {
    const std::vector<float>& all = snapshot.tokens[static_cast<std::size_t>(t)]->coefficients.lambda;
    if (!all.empty()) ++spread.tokens;
    for (const float lambda : all) {
      if (!std::isfinite(lambda)) continue;
      const int bin = std::clamp(static_cast<int>(lambda * LambdaSpread::bins), 0, LambdaSpread::bins - 1);
      spread.over_tokens[static_cast<std::size_t>(bin)] += 1;
      ++counted;
      if (t != index) continue;
      spread.now[static_cast<std::size_t>(bin)] += 1;
      ++spread.heads;
      spread.below_half += lambda < 0.5F ? 1 : 0;
      spread.above_half += lambda > 0.5F ? 1 : 0;
    }
  }
  to_shares(spread.now, spread.heads);
  to_shares(spread.over_tokens, counted);
  if (spread.heads > 0) {
    spread.below_half /= spread.heads;
    spread.above_half /= spread.heads;
  }
  spread.own = per_head(snapshot.model->config(), snapshot.tokens[static_cast<std::size_t>(index)]->coefficients.lambda,
                        selection.layer, selection.head);
  return spread;
}

LambdaCostCurve make_cost_curve(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index) {
  LambdaCostCurve curve;
  if (!holds(snapshot, index)) return curve;
  const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(index)];
  const engine::LayerState* now = layer_at(snapshot, index, selection.layer);
  const engine::LayerState* before = layer_at(snapshot, index - 1, selection.layer);
  // Without the token before there is no interpolant, which is not the same as a last input of zero.
  if (now == nullptr || record.coefficients.dt.empty() || (index > 0 && before == nullptr)) return curve;
  curve.cost = engine::lambda_cost(
      snapshot.model->config(), snapshot.model->weights.layers[static_cast<std::size_t>(selection.layer)],
      record.coefficients, selection.layer, selection.head, frame_of(selection.frame), before, *now);
  if (std::isnan(curve.cost.half)) return curve;
  curve.own = per_head(snapshot.model->config(), record.coefficients.lambda, selection.layer, selection.head);
  const double best = curve.cost.best();
  curve.best_is_outside = best < 0 || best > 1;
  curve.best = std::clamp(best, 0.0, 1.0);
  // Dense around the best, where the curve bends on a logarithmic axis.
  for (int i = 0; i <= 100; ++i) curve.lambda.push_back(i / 100.0);
  if (std::isfinite(best)) {
    for (int i = -40; i <= 40; ++i) {
      const double near = best + (i < 0 ? -1 : 1) * 0.05 * std::pow(10.0, -0.1 * (40 - std::abs(i)));
      if (near > 0 && near < 1) curve.lambda.push_back(near);
    }
    std::sort(curve.lambda.begin(), curve.lambda.end());
  }
  curve.error = errors_along(curve.cost, curve.lambda);
  return curve;
}

std::vector<double> errors_along(const engine::LambdaCost& cost, const std::vector<double>& lambda) {
  std::vector<double> errors;
  errors.reserve(lambda.size());
  for (const double l : lambda) {
    const double e = cost.at(l);
    errors.push_back(e > 0 ? e : std::numeric_limits<double>::quiet_NaN());
  }
  return errors;
}

ConvolutionShares make_convolution_shares(const engine::Snapshot& snapshot, const Selection& selection,
                                          std::int64_t index, int max_tokens) {
  ConvolutionShares out;
  if (!holds(snapshot, index)) return out;
  const engine::ModelConfig& config = snapshot.model->config();
  out.heads = config.heads();
  out.first_token = std::max<std::int64_t>(0, index + 1 - std::max(max_tokens, 1));
  out.tokens = static_cast<int>(index + 1 - out.first_token);
  for (int head = 0; head < out.heads; ++head) {
    for (std::int64_t t = out.first_token; t <= index; ++t) {
      const engine::StepCoefficients& step = snapshot.tokens[static_cast<std::size_t>(t)]->coefficients;
      const double beta = per_head(config, step.beta, selection.layer, head);
      const double gamma = per_head(config, step.gamma, selection.layer, head);
      out.beta.push_back(beta);
      out.gamma.push_back(gamma);
      const double both = beta + gamma;
      out.share.push_back(both > 0 ? beta / both : std::numeric_limits<double>::quiet_NaN());
    }
  }
  return out;
}

}  // namespace app
