#include "engine/analysis/retention.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace engine {

std::vector<double> contribution_weights(std::span<const HeadStep> steps) {
  std::vector<double> weights;
  weights.reserve(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double before = i == 0 ? 0 : steps[i].alpha * weights.back();
    weights.push_back(before + (i == 0 ? steps[i].gamma : i == 1 ? steps[i].beta : 0));
  }
  return weights;
}

double retention_half_life(std::span<const double> weights) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  if (weights.empty() || !std::all_of(weights.begin(), weights.end(), [](double w) { return std::isfinite(w); }))
    return nan;
  const auto larger = [](double a, double b) { return std::abs(a) < std::abs(b); };
  const auto peak = std::max_element(weights.begin(), weights.end(), larger);
  const double half = std::abs(*peak) / 2;
  for (auto at = peak + 1; half > 0 && at != weights.end(); ++at) {
    const double now = std::abs(*at), before = std::abs(*(at - 1));
    if (now > half) continue;
    // Decay within a token is exponential: the share of the step after which half is left.
    const double share = now > 0 ? std::log(before / half) / std::log(before / now) : 0;
    return static_cast<double>(at - 1 - peak) + share;
  }
  return std::numeric_limits<double>::infinity();
}

}  // namespace engine
