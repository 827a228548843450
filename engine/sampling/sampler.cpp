#include "engine/sampling/sampler.h"

#include "kernels/sample/sample.h"

#include <algorithm>

namespace engine {

kernels::DrawRule draw_rule(const Sampler& sampler) {
  using Kind = kernels::DrawRule::Kind;
  constexpr double log2_e = 1.4426950408889634;
  kernels::DrawRule rule;
  rule.seed = sampler.seed;
  if (sampler.kind == Sampler::Kind::greedy || !(sampler.temperature > 0)) return rule;
  rule.kind = sampler.kind == Sampler::Kind::top_k   ? Kind::top_count
              : sampler.kind == Sampler::Kind::top_p ? Kind::top_share
                                                     : Kind::all;
  // An infinite temperature makes all finite logits even.
  rule.scale = log2_e / std::min(static_cast<double>(sampler.temperature), 1e300);
  rule.count = std::max(1, sampler.top_k);
  rule.share = sampler.top_p;
  return rule;
}

std::int32_t sample(std::span<const float> logits, const Sampler& sampler, std::uint64_t counter) {
  return kernels::sample(logits.data(), static_cast<std::int32_t>(logits.size()), draw_rule(sampler), counter);
}

}  // namespace engine
