#include "engine/session/sampler.h"

#include "engine/analysis/statistics.h"
#include "engine/base/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace engine {

namespace {

// The id at which the running sum of probabilities, in the order of `ids`, passes u of the sum over all of them.
std::int32_t pick(const std::vector<std::int32_t>& ids, const std::vector<double>& p, double u) {
  double sum = 0;
  for (const std::int32_t id : ids) sum += p[static_cast<std::size_t>(id)];
  double running = 0;
  for (const std::int32_t id : ids) {
    running += p[static_cast<std::size_t>(id)];
    if (running > u * sum) return id;
  }
  return ids.front();  // only where rounding left nothing: the best
}

// The best ids, best first, whose probabilities reach `mass`.
std::vector<std::int32_t> nucleus(const std::vector<double>& p, double mass) {
  // Ids below this share cannot be needed: all of them together hold less than half of 1 - mass.
  const double least = 0.5 * (1.0 - mass) / static_cast<double>(p.size());
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] >= least) ids.push_back(static_cast<std::int32_t>(i));
  }
  std::sort(ids.begin(), ids.end(), [&](std::int32_t a, std::int32_t b) {
    const double pa = p[static_cast<std::size_t>(a)], pb = p[static_cast<std::size_t>(b)];
    return pa != pb ? pa > pb : a < b;
  });
  double running = 0;
  for (std::size_t n = 0; n < ids.size(); ++n) {
    running += p[static_cast<std::size_t>(ids[n])];
    if (running >= mass) {
      ids.resize(n + 1);
      break;
    }
  }
  return ids;
}

}  // namespace

std::int32_t sample(std::span<const float> logits, const Sampler& sampler, std::uint64_t counter) {
  const std::int32_t best = top_ids(logits, 1).front();
  const bool greedy = sampler.kind == Sampler::Kind::greedy || !(sampler.temperature > 0);
  if (greedy || !std::isfinite(logits[static_cast<std::size_t>(best)])) return best;

  std::vector<float> tempered(logits.begin(), logits.end());
  for (float& logit : tempered) logit /= sampler.temperature;
  const std::vector<double> p = softmax(tempered).p;
  std::vector<std::int32_t> ids;
  if (sampler.kind == Sampler::Kind::top_k) {
    ids = top_ids(logits, std::max(1, sampler.top_k));
  } else if (sampler.kind == Sampler::Kind::top_p) {
    ids = nucleus(p, std::clamp(static_cast<double>(sampler.top_p), 0.0, 1.0));
  } else {
    ids.resize(logits.size());
    std::iota(ids.begin(), ids.end(), 0);
  }
  return pick(ids, p, Random(sampler.seed, counter).uniform());
}

}  // namespace engine
