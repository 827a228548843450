// Hardware counters over the time of a few tokens, read at a fixed interval while each runs as it always does. The thread that
// owns the backend; a process without an activity session.
#pragma once

#include "engine/backend/backend.h"
#include "profiler/counters/sampling.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace app {

// One token: what each sample read, and when it began, from the beginning of the first one in which work ran. The first kernel
// began within that sample.
struct SampledToken {
  std::uint32_t token = 0;
  std::vector<std::int64_t> start_ns;
  std::vector<std::vector<double>> values;  // (samples)(metrics)
};

struct TokenSamples {
  std::string chip, library;
  std::vector<std::string> metrics, missing;  // read; not on this chip, or not in the same pass
  std::int64_t interval_ns = 0;
  bool overflow = false;      // some were lost
  profiler::Unavailable why;  // with a reason: there are no tokens
  std::vector<SampledToken> tokens;
};

// What is sampled, by importance, as shares of the peak: multiprocessors at work, memory read and written, tensor cores, warps.
const std::vector<std::string>& sampled_metrics();
// "SM active"; an unknown metric's own name.
std::string sample_name(const std::string& metric);

struct SamplingRun {
  int tokens = 4;
  std::int64_t pause_ns = 1'000'000;  // before each: by it the tokens are told apart
};

// Steps `ids`, (tokens, batch), and splits the samples by token: numbers count from 0. Error: the backend's; the samples' own
// failures are in TokenSamples::why.
engine::Result<TokenSamples> sample_tokens(engine::Backend& backend, std::span<const std::int32_t> ids,
                                           profiler::SamplingSession& session, const SamplingRun& run);

}  // namespace app
