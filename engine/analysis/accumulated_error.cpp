#include "engine/analysis/accumulated_error.h"

#include <algorithm>
#include <cmath>

namespace engine {

ErrorAccumulator::ErrorAccumulator(const ModelConfig& config, int head, StateFrame frame)
    : config_(&config),
      head_(head),
      frame_(frame),
      rows_(static_cast<std::size_t>(config.headdim)),
      width_(static_cast<std::size_t>(config.d_state / 2 * 2)) {
  clear();
  for (auto* keys : {&key_before_, &key_after_}) {
    for (std::vector<double>& key : *keys) key.resize(static_cast<std::size_t>(config.rank()) * width_);
  }
}

std::size_t ErrorAccumulator::bytes(const ModelConfig& config) {
  return 4 * sizeof(double) * static_cast<std::size_t>(config.headdim) * static_cast<std::size_t>(config.d_state);
}

void ErrorAccumulator::clear() {
  for (std::vector<double>& state : states_) state.assign(rows_ * width_, 0);
}

void ErrorAccumulator::start_at(const LayerState& layer) {
  clear();
  if (!holds_state(layer)) return;
  const auto channels = static_cast<std::size_t>(config_->d_state);
  for (std::size_t p = 0; p < rows_; ++p) {
    const float* from = layer.ssm.data() + (static_cast<std::size_t>(head_) * rows_ + p) * channels;
    double* to = states_[exact_state].data() + p * width_;
    for (int i = 0; i < config_->d_state / 2; ++i) {
      to[i] = from[config_->pair_first(i)];
      to[width_ / 2 + static_cast<std::size_t>(i)] = from[config_->pair_second(i)];
    }
  }
}

// The keys of both tokens, times what each kind of state weighs them with: then a step is real numbers times real rows.
void ErrorAccumulator::weigh_keys(const StepCoefficients& coefficients, int layer, bool has_previous) {
  const std::size_t at = static_cast<std::size_t>(layer) * config_->heads() + head_;
  const double dt = coefficients.dt[at], decay = coefficients.a[at] * dt, lambda = coefficients.lambda[at];
  const auto pairs = width_ / 2, rank = static_cast<std::size_t>(config_->rank());
  StepTerms terms = step_terms({decay, 0});
  for (std::size_t i = 0; i < pairs; ++i) {
    const int pair = static_cast<int>(i);
    const bool turns = frame_ == StateFrame::unrotated && pair < config_->angles();
    const double increment = turns ? phase_increment(*config_, coefficients, layer, head_, pair) : 0;
    if (turns)
      terms = step_terms({decay, -increment});
    else if (pair == config_->angles())
      terms = step_terms({decay, 0});
    const InputWeights weights[] = {terms.exact, terms.trapezoid, {-terms.decay, 1}, error_weights(terms, lambda)};
    const Complex turn = std::polar(dt, increment);
    for (std::size_t kind = 0; kind < states_.size(); ++kind) {
      const Complex now = dt * weights[kind].now, before = turn * weights[kind].previous;
      for (std::size_t r = 0; r < rank; ++r) {
        const std::size_t key = r * pairs + i, re = r * width_ + i, im = re + pairs;
        key_after_[kind][re] = now.real() * after_.re[key] - now.imag() * after_.im[key];
        key_after_[kind][im] = now.real() * after_.im[key] + now.imag() * after_.re[key];
        if (!has_previous) continue;
        key_before_[kind][re] = before.real() * before_.re[key] - before.imag() * before_.im[key];
        key_before_[kind][im] = before.real() * before_.im[key] + before.imag() * before_.re[key];
      }
    }
  }
}

// z = alpha z + the sum over ranks of v key + v_before key_before: two terms a pass over a row.
void ErrorAccumulator::advance(double alpha, bool has_previous) {
  const auto rank = static_cast<std::size_t>(config_->rank());
  std::vector<double> weight;
  std::vector<const double*> key;
  const std::vector<double> nothing(width_, 0);
  for (std::size_t kind = 0; kind < states_.size(); ++kind) {
    for (std::size_t p = 0; p < rows_; ++p) {
      weight.clear();
      key.clear();
      for (std::size_t r = 0; r < rank; ++r) {
        weight.push_back(after_.v[r * rows_ + p]);
        key.push_back(key_after_[kind].data() + r * width_);
        weight.push_back(has_previous ? before_.v[r * rows_ + p] : 0);
        key.push_back(has_previous ? key_before_[kind].data() + r * width_ : nothing.data());
      }
      double* z = states_[kind].data() + p * width_;
      for (std::size_t i = 0; i < key.size(); i += 2) {
        const double decay = i == 0 ? alpha : 1, v = weight[i], w = weight[i + 1];
        const double *now = key[i], *last = key[i + 1];
        for (std::size_t j = 0; j < width_; ++j) z[j] = decay * z[j] + (v * now[j] + w * last[j]);
      }
    }
  }
}

void ErrorAccumulator::step(const LayerWeights& weights, const StepCoefficients& coefficients, int layer,
                            const LayerState* previous, const LayerState& now) {
  const bool has_previous = previous != nullptr && holds_caches(*previous);
  after_.read(*config_, weights, head_, now);
  if (has_previous) before_.read(*config_, weights, head_, *previous);
  const std::size_t at = static_cast<std::size_t>(layer) * config_->heads() + head_;
  weigh_keys(coefficients, layer, has_previous);
  advance(std::exp(static_cast<double>(coefficients.a[at]) * coefficients.dt[at]), has_previous);
}

AccumulatedError ErrorAccumulator::errors() const {
  double exact = 0, half_2 = 0, cross = 0, slope = 0, own = 0;
  for (std::size_t i = 0; i < rows_ * width_; ++i) {
    const double h = states_[exact_state][i], e = states_[half][i], g = states_[per_lambda][i], m = states_[model][i];
    exact += h * h;
    half_2 += e * e;
    cross += e * g;
    slope += g * g;
    own += m * m;
  }
  if (!(exact > 0)) return {};
  return {{half_2 / exact, cross / exact, slope / exact}, std::sqrt(own / exact)};
}

}  // namespace engine
