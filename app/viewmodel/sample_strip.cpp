#include "app/viewmodel/sample_strip.h"

#include <algorithm>

namespace app {

int SampleStrip::at(double us) const {
  const auto after = std::upper_bound(start_us.begin(), start_us.end(), us);
  if (after == start_us.begin() || us >= *(after - 1) + interval_us) return -1;
  return static_cast<int>(after - start_us.begin()) - 1;
}

SampleStrip make_sample_strip(const TokenSamples& samples, std::int64_t token) {
  SampleStrip out;
  if (samples.tokens.empty()) return out;
  const auto found = std::find_if(samples.tokens.begin(), samples.tokens.end(),
                                  [&](const SampledToken& sampled) { return std::int64_t{sampled.token} == token; });
  out.own = found != samples.tokens.end();
  const SampledToken& from = out.own ? *found : samples.tokens.front();
  out.token = from.token;
  out.interval_us = static_cast<double>(samples.interval_ns) / 1e3;
  for (const std::int64_t start : from.start_ns) out.start_us.push_back(static_cast<double>(start) / 1e3);
  for (std::size_t m = 0; m < samples.metrics.size(); ++m) {
    out.names.push_back(sample_name(samples.metrics[m]));
    std::vector<double>& percents = out.percents.emplace_back();
    for (const std::vector<double>& values : from.values) percents.push_back(values[m]);
  }
  return out;
}

std::vector<PlacedStrip> place_sample_strips(const TokenSamples& samples, profiler::Tokens tokens) {
  std::vector<PlacedStrip> out;
  for (const SampledToken& sampled : samples.tokens) {
    const auto found =
        std::find_if(tokens.begin(), tokens.end(), [&](const auto& token) { return token->token == sampled.token; });
    if (found == tokens.end() || (*found)->stages.empty()) continue;
    const std::int64_t after_ns = (*found)->stages.front().start_ns - (*found)->wall_start_ns;
    out.push_back({make_sample_strip(samples, sampled.token), static_cast<double>(after_ns) / 1e3});
  }
  return out;
}

}  // namespace app
