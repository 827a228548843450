#include "engine/analysis/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace engine {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double value(float logit) { return std::isnan(logit) ? -infinity : static_cast<double>(logit); }

}  // namespace

Distribution softmax(std::span<const float> logits) {
  Distribution d;
  softmax(logits, d);
  return d;
}

void softmax(std::span<const float> logits, Distribution& out) {
  double largest = -infinity;
  for (const float logit : logits) largest = std::max(largest, value(logit));
  out.p.resize(logits.size());
  out.log_p.resize(logits.size());
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    // Equal infinities are equally likely; their difference would be NaN.
    const double shifted = value(logits[i]) == largest ? 0.0 : value(logits[i]) - largest;
    out.log_p[i] = shifted;
    out.p[i] = std::exp(shifted);
    sum += out.p[i];
  }
  const double log_sum = std::log(sum);
  for (double& p : out.p) p /= sum;
  for (double& log_p : out.log_p) log_p -= log_sum;
}

bool all_finite(std::span<const float> logits) {
  return std::all_of(logits.begin(), logits.end(), [](float logit) { return std::isfinite(logit); });
}

double entropy_bits(const Distribution& d) {
  double nats = 0;
  for (std::size_t i = 0; i < d.p.size(); ++i) {
    if (d.p[i] > 0) nats -= d.p[i] * d.log_p[i];
  }
  return std::max(0.0, nats / std::log(2.0));
}

double kl_bits(const Distribution& p, const Distribution& q) {
  double nats = 0;
  for (std::size_t i = 0; i < p.p.size(); ++i) {
    if (p.p[i] > 0) nats += p.p[i] * (p.log_p[i] - q.log_p[i]);
  }
  return std::max(0.0, nats / std::log(2.0));
}

std::vector<std::int32_t> top_ids(std::span<const float> logits, int count) {
  const std::size_t keep = std::min(logits.size(), static_cast<std::size_t>(std::max(count, 0)));
  std::vector<std::int32_t> best;
  if (keep == 0) return best;
  best.reserve(keep + 1);
  const auto before = [&](std::int32_t a, std::int32_t b) {
    const double va = value(logits[static_cast<std::size_t>(a)]), vb = value(logits[static_cast<std::size_t>(b)]);
    return va != vb ? va > vb : a < b;
  };
  float last = 0;  // the worst of `best`, once there are enough
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (best.size() == keep && logits[i] < last) continue;  // nearly all of them
    const auto id = static_cast<std::int32_t>(i);
    if (best.size() == keep && !before(id, best.back())) continue;
    best.insert(std::upper_bound(best.begin(), best.end(), id, before), id);
    if (best.size() > keep) best.pop_back();
    last = logits[static_cast<std::size_t>(best.back())];
  }
  return best;
}

}  // namespace engine
