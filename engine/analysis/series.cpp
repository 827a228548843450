#include "engine/analysis/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace engine {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr float nan_float = std::numeric_limits<float>::quiet_NaN();

// Calls f(record) for each token of the range.
template <class F>
void each(const TokenList& tokens, TokenRange range, F f) {
  const std::size_t last = std::min(range.last, tokens.size());
  for (std::size_t i = range.first; i < last; ++i) f(*tokens[i]);
}

double value_at(const std::vector<float>& values, std::size_t at) {
  return at < values.size() ? static_cast<double>(values[at]) : nan;
}

double known(float value) { return value < 0 ? nan : static_cast<double>(value); }  // -1 stands for "not defined"

RuleErrors errors_at(const std::vector<RuleErrors>& errors, std::size_t at) {
  return at < errors.size() ? errors[at] : RuleErrors{nan_float, nan_float, nan_float};
}

const LayerState& layer_of(const TokenRecord& record, int layer) {
  return record.state->layers[static_cast<std::size_t>(layer)];
}

// |h| over a pair of channels, for one row or, with row -1, over all rows.
float pair_magnitude(const ModelConfig& config, const LayerState& layer, int head, int row, int pair) {
  const int first = row < 0 ? 0 : row, last = row < 0 ? config.headdim : row + 1;
  double sum = 0;
  for (int p = first; p < last; ++p) {
    const float* h = layer.ssm.data() + (static_cast<std::size_t>(head) * config.headdim + p) * config.d_state;
    const double a = h[config.pair_first(pair)], b = h[config.pair_second(pair)];
    sum += a * a + b * b;
  }
  return static_cast<float>(std::sqrt(sum));
}

template <class F>
Raster raster(const TokenList& tokens, const ModelConfig& config, TokenRange range, F value) {
  Raster out;
  out.pairs = static_cast<std::size_t>(config.d_state / 2);
  each(tokens, range, [&](const TokenRecord& record) {
    ++out.tokens;
    for (int pair = 0; pair < config.d_state / 2; ++pair) out.values.push_back(value(record, pair));
  });
  return out;
}

}  // namespace

TokenRange newest_tokens(const TokenList& tokens, std::size_t count) {
  return {tokens.size() - std::min(count, tokens.size()), tokens.size()};
}

HeadSeries head_series(const TokenList& tokens, const ModelConfig& config, int layer, int head, TokenRange range) {
  HeadSeries s;
  const std::size_t at = static_cast<std::size_t>(layer) * config.heads() + head;
  each(tokens, range, [&](const TokenRecord& record) {
    const StepCoefficients& c = record.coefficients;
    s.position.push_back(static_cast<double>(record.position));
    s.dt.push_back(value_at(c.dt, at));
    s.a.push_back(value_at(c.a, at));
    s.lambda.push_back(value_at(c.lambda, at));
    s.alpha.push_back(value_at(c.alpha, at));
    s.beta.push_back(value_at(c.beta, at));
    s.gamma.push_back(value_at(c.gamma, at));
    s.half_life.push_back(at < c.alpha.size() ? half_life_tokens(s.alpha.back()) : nan);
    s.state_norm.push_back(value_at(c.state_norm, at));
    s.state_change.push_back(value_at(c.state_change, at));
    const RuleErrors stored = errors_at(record.error_stored, at), unrotated = errors_at(record.error_unrotated, at);
    s.euler_stored.push_back(stored.euler);
    s.trapezoid_stored.push_back(stored.trapezoid);
    s.model_stored.push_back(stored.model);
    s.euler_unrotated.push_back(unrotated.euler);
    s.trapezoid_unrotated.push_back(unrotated.trapezoid);
    s.model_unrotated.push_back(unrotated.model);
  });
  return s;
}

PredictionSeries prediction_series(const TokenList& tokens, TokenRange range) {
  PredictionSeries s;
  each(tokens, range, [&](const TokenRecord& record) {
    s.position.push_back(static_cast<double>(record.position));
    s.entropy_bits.push_back(record.entropy_bits);
    s.kl_bits.push_back(known(record.kl_bits));
    s.probability.push_back(known(record.probability));
  });
  return s;
}

std::vector<double> increment_series(const TokenList& tokens, const ModelConfig& config, int layer, int head, int pair,
                                     TokenRange range) {
  std::vector<double> out;
  each(tokens, range, [&](const TokenRecord& record) {
    out.push_back(phase_increment(config, record.coefficients, layer, head, pair));
  });
  return out;
}

std::vector<double> phase_series(const TokenList& tokens, const ModelConfig& config, int layer, int head, int pair,
                                 TokenRange range) {
  std::vector<double> out;
  each(tokens, range, [&](const TokenRecord& record) {
    out.push_back(accumulated_phase(config, layer_of(record, layer), head, pair));
  });
  return out;
}

std::vector<Complex> trail(const TokenList& tokens, const ModelConfig& config, int layer, int head, int row, int pair,
                           StateFrame frame, TokenRange range) {
  std::vector<Complex> out;
  each(tokens, range, [&](const TokenRecord& record) {
    const LayerState& state = layer_of(record, layer);
    if (!holds_state(state)) {
      out.emplace_back(nan, nan);
      return;
    }
    const std::size_t at = (static_cast<std::size_t>(head) * config.headdim + row) * config.d_state;
    const Complex stored(state.ssm[at + config.pair_first(pair)], state.ssm[at + config.pair_second(pair)]);
    const double theta = frame == StateFrame::stored ? 0 : accumulated_phase(config, state, head, pair);
    out.push_back(turned_back(stored, theta));
  });
  return out;
}

Raster phase_raster(const TokenList& tokens, const ModelConfig& config, int layer, int head, TokenRange range) {
  return raster(tokens, config, range, [&](const TokenRecord& record, int pair) {
    const double phase = accumulated_phase(config, layer_of(record, layer), head, pair);
    constexpr double turn = 2 * std::numbers::pi;
    return static_cast<float>(phase - turn * std::floor(phase / turn));
  });
}

Raster increment_raster(const TokenList& tokens, const ModelConfig& config, int layer, int head, TokenRange range) {
  return raster(tokens, config, range, [&](const TokenRecord& record, int pair) {
    return static_cast<float>(phase_increment(config, record.coefficients, layer, head, pair));
  });
}

Raster magnitude_raster(const TokenList& tokens, const ModelConfig& config, int layer, int head, int row,
                        TokenRange range) {
  return raster(tokens, config, range, [&](const TokenRecord& record, int pair) {
    const LayerState& state = layer_of(record, layer);
    return holds_state(state) ? pair_magnitude(config, state, head, row, pair) : nan_float;
  });
}

}  // namespace engine
