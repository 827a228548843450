#include "engine/analysis/discretisation.h"

#include "engine/analysis/phi_functions.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace engine {

namespace {

// What the norm of c_p u_previous + c_n u_now is made of:
// |c_p|^2 pp + |c_n|^2 nn + 2 Re(c_p conj(c_n) pn), for one pair of channels or summed over several.
struct Products {
  double pp = 0, nn = 0;
  Complex pn;

  void add(const Products& other) {
    pp += other.pp;
    nn += other.nn;
    pn += other.pn;
  }
  double norm_squared(const InputWeights& c) const {
    return std::norm(c.previous) * pp + std::norm(c.now) * nn + 2 * (c.previous * std::conj(c.now) * pn).real();
  }
};

// One head's inputs before and after a step: u = sum over ranks of v_r (x) key_r.
class HeadInputs {
 public:
  HeadInputs(const ModelConfig& config, const LayerWeights& weights, int head, const LayerState* previous,
             const LayerState& now)
      : config_(config), rank_(config.rank()), gram_(static_cast<std::size_t>(3 * rank_ * rank_)) {
    const std::size_t keys_at = static_cast<std::size_t>(head) * config.d_state;
    keys_stride_ = static_cast<std::size_t>(config.heads()) * config.d_state;
    now_keys_ = now.k.data() + keys_at;
    const float* now_v = now.v.data() + static_cast<std::size_t>(head) * config.headdim;
    const float* previous_v = nullptr;
    if (previous != nullptr && holds_caches(*previous)) {
      previous_keys_ = previous->k.data() + keys_at;
      previous_v = previous->v.data() + static_cast<std::size_t>(head) * config.headdim;
    }
    const float* mix =
        config.is_mimo ? weights.mimo_x.data() + static_cast<std::size_t>(head) * rank_ * config.headdim : nullptr;
    for (int r = 0; r < rank_; ++r) {
      for (int s = 0; s < rank_; ++s) fill_gram(mix, previous_v, now_v, r, s);
    }
  }

  Products pair(int i) const {
    const int a = config_.pair_first(i), b = config_.pair_second(i);
    Products sum;
    for (int r = 0; r < rank_; ++r) {
      const Complex now_r = key(now_keys_, r, a, b), previous_r = key(previous_keys_, r, a, b);
      for (int s = 0; s < rank_; ++s) {
        const Complex now_s = std::conj(key(now_keys_, s, a, b));
        const std::size_t at = static_cast<std::size_t>(3 * (r * rank_ + s));
        sum.nn += gram_[at] * (now_r * now_s).real();
        if (previous_keys_ == nullptr) continue;
        sum.pp += gram_[at + 1] * (previous_r * std::conj(key(previous_keys_, s, a, b))).real();
        sum.pn += gram_[at + 2] * (previous_r * now_s);
      }
    }
    return sum;
  }

 private:
  Complex key(const float* keys, int rank, int a, int b) const {
    if (keys == nullptr) return {0, 0};
    const float* k = keys + static_cast<std::size_t>(rank) * keys_stride_;
    return {static_cast<double>(k[a]), static_cast<double>(k[b])};
  }
  void fill_gram(const float* mix, const float* previous_v, const float* now_v, int r, int s) {
    double nn = 0, pp = 0, pn = 0;
    for (int p = 0; p < config_.headdim; ++p) {
      const double weight = mix == nullptr ? 1.0
                                           : static_cast<double>(mix[r * config_.headdim + p]) *
                                                 static_cast<double>(mix[s * config_.headdim + p]);
      const double now = now_v[p], previous = previous_v == nullptr ? 0.0 : previous_v[p];
      nn += weight * now * now;
      pp += weight * previous * previous;
      pn += weight * previous * now;
    }
    const std::size_t at = static_cast<std::size_t>(3 * (r * rank_ + s));
    gram_[at] = nn;
    gram_[at + 1] = pp;
    gram_[at + 2] = pn;
  }

  const ModelConfig& config_;
  int rank_;
  std::size_t keys_stride_ = 0;
  const float* now_keys_ = nullptr;
  const float* previous_keys_ = nullptr;
  std::vector<double> gram_;  // (R, R, 3): products over P of v: now now, previous previous, previous now
};

// Squared norms, summed over the pairs of a head.
struct Squares {
  double exact = 0, euler = 0, trapezoid = 0, model = 0;

  void add(const Products& u, const StepTerms& terms, double lambda) {
    exact += u.norm_squared(terms.exact);
    euler += u.norm_squared(error_weights(terms, 1.0));
    trapezoid += u.norm_squared(terms.trapezoid);
    model += u.norm_squared(error_weights(terms, lambda));
  }
  RuleErrors relative() const {
    const auto ratio = [this](double error) {
      if (!(exact > 0)) return std::numeric_limits<float>::quiet_NaN();
      return static_cast<float>(std::sqrt(std::max(0.0, error) / exact));
    };
    return {ratio(euler), ratio(trapezoid), ratio(model)};
  }
};

}  // namespace

RuleCoefficients rule_coefficients(double a, double dt, double lambda) {
  const double alpha = std::exp(a * dt);
  return {alpha, (1 - lambda) * dt * alpha, lambda * dt};
}

RuleErrors head_errors(const ModelConfig& config, const LayerWeights& weights, const StepCoefficients& coefficients,
                       int layer, int head, const LayerState* previous, const LayerState& now, StateFrame frame) {
  const std::size_t at = static_cast<std::size_t>(layer) * config.heads() + head;
  const double dt = coefficients.dt[at], decay = coefficients.a[at] * dt, lambda = coefficients.lambda[at];
  const HeadInputs inputs(config, weights, head, previous, now);
  Squares squares;
  Products still;  // pairs that do not turn have the same weights: their products are summed first
  const int turning = frame == StateFrame::unrotated ? config.angles() : 0;
  for (int i = 0; i < config.d_state / 2; ++i) {
    Products u = inputs.pair(i);
    if (i >= turning) {
      still.add(u);
      continue;
    }
    // Un-rotated keys differ from the stored ones by e^(-i theta), so a product of the two tokens' keys by e^(i dtheta).
    const double increment = phase_increment(config, coefficients, layer, head, i);
    u.pn *= std::polar(1.0, increment);
    squares.add(u, step_terms({decay, -increment}), lambda);
  }
  squares.add(still, step_terms({decay, 0}), lambda);
  return squares.relative();
}

std::vector<RuleErrors> step_errors(const Weights& weights, const StepCoefficients& coefficients,
                                    const SequenceState* previous, const SequenceState& now, StateFrame frame) {
  const ModelConfig& config = weights.config;
  std::vector<RuleErrors> errors;
  errors.reserve(static_cast<std::size_t>(config.n_layer) * config.heads());
  for (int layer = 0; layer < config.n_layer; ++layer) {
    const auto l = static_cast<std::size_t>(layer);
    const LayerState* before = previous == nullptr ? nullptr : &previous->layers[l];
    for (int head = 0; head < config.heads(); ++head) {
      errors.push_back(head_errors(config, weights.layers[l], coefficients, layer, head, before, now.layers[l], frame));
    }
  }
  return errors;
}

}  // namespace engine
