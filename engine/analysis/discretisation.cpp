#include "engine/analysis/discretisation.h"

#include "engine/analysis/head_input.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace engine {

namespace {

// Squared norms, summed over the pairs of a head.
struct Squares {
  double exact = 0, euler = 0, trapezoid = 0, model = 0;

  void add(const InputProducts& u, const StepTerms& terms, double lambda) {
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

HeadErrors errors_of(const ModelConfig& config, const StepCoefficients& coefficients, int layer, int head,
                     const PairProducts& products) {
  const std::size_t at = static_cast<std::size_t>(layer) * config.heads() + head;
  const double dt = coefficients.dt[at], decay = coefficients.a[at] * dt, lambda = coefficients.lambda[at];
  // Pairs that do not turn have the same weights, so their products are summed first: in the stored frame all of them.
  InputProducts all, still;
  Squares stored, unrotated;
  for (int i = 0; i < config.d_state / 2; ++i) {
    const InputProducts u = products.pair(i);
    all += u;
    if (i >= config.angles()) {
      still += u;
      continue;
    }
    const double increment = phase_increment(config, coefficients, layer, head, i);
    unrotated.add(u.unrotated(increment), step_terms({decay, -increment}), lambda);
  }
  const StepTerms real_terms = step_terms({decay, 0});
  stored.add(all, real_terms, lambda);
  unrotated.add(still, real_terms, lambda);
  return {stored.relative(), unrotated.relative()};
}

}  // namespace

RuleCoefficients rule_coefficients(double a, double dt, double lambda) {
  const double alpha = std::exp(a * dt);
  return {alpha, (1 - lambda) * dt * alpha, lambda * dt};
}

HeadErrors head_errors(const ModelConfig& config, const LayerWeights& weights, const StepCoefficients& coefficients,
                       int layer, int head, const LayerState* previous, const LayerState& now) {
  PairProducts products;
  products.compute(config, weights, head, previous, now);
  return errors_of(config, coefficients, layer, head, products);
}

StepErrors step_errors(const Weights& weights, const StepCoefficients& coefficients, const SequenceState* previous,
                       const SequenceState& now) {
  const ModelConfig& config = weights.config;
  StepErrors errors;
  errors.stored.reserve(static_cast<std::size_t>(config.n_layer) * config.heads());
  errors.unrotated.reserve(static_cast<std::size_t>(config.n_layer) * config.heads());
  PairProducts products;
  for (int layer = 0; layer < config.n_layer; ++layer) {
    const auto l = static_cast<std::size_t>(layer);
    const LayerState* before = previous == nullptr ? nullptr : &previous->layers[l];
    for (int head = 0; head < config.heads(); ++head) {
      products.compute(config, weights.layers[l], head, before, now.layers[l]);
      const HeadErrors head_errors = errors_of(config, coefficients, layer, head, products);
      errors.stored.push_back(head_errors.stored);
      errors.unrotated.push_back(head_errors.unrotated);
    }
  }
  return errors;
}

}  // namespace engine
