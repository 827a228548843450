#include "engine/analysis/lambda_cost.h"

#include "engine/analysis/head_input.h"

#include <algorithm>
#include <cmath>

namespace engine {

namespace {

struct Sums {
  double exact = 0, half = 0, cross = 0, slope = 0;

  void add(const InputProducts& u, const StepTerms& terms) {
    const InputWeights per_lambda{-terms.decay, 1};
    exact += u.norm_squared(terms.exact);
    half += u.norm_squared(terms.trapezoid);
    cross += u.inner(terms.trapezoid, per_lambda);
    slope += u.norm_squared(per_lambda);
  }
};

}  // namespace

double LambdaCost::at(double lambda) const {
  const double off = lambda - 0.5, squared = half + off * (2 * cross + off * slope);
  return std::isnan(squared) ? squared : std::sqrt(std::max(0.0, squared));
}

double LambdaCost::best() const { return slope > 0 ? 0.5 - cross / slope : std::numeric_limits<double>::quiet_NaN(); }

LambdaCost lambda_cost(const ModelConfig& config, const LayerWeights& weights, const StepCoefficients& coefficients,
                       int layer, int head, StateFrame frame, const LayerState* previous, const LayerState& now) {
  PairProducts products;
  products.compute(config, weights, head, previous, now);
  const std::size_t at = static_cast<std::size_t>(layer) * config.heads() + head;
  const double decay = static_cast<double>(coefficients.a[at]) * coefficients.dt[at];
  InputProducts still;
  Sums sums;
  for (int i = 0; i < config.d_state / 2; ++i) {
    const InputProducts u = products.pair(i);
    if (frame == StateFrame::stored || i >= config.angles()) {
      still += u;
      continue;
    }
    const double increment = phase_increment(config, coefficients, layer, head, i);
    sums.add(u.unrotated(increment), step_terms({decay, -increment}));
  }
  sums.add(still, step_terms({decay, 0}));
  if (!(sums.exact > 0)) return {};
  return {sums.half / sums.exact, sums.cross / sums.exact, sums.slope / sums.exact};
}

}  // namespace engine
