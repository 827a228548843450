// How long a session takes to come back to a token: it steps a text and seeks tokens of it in an order from a seed. A seek
// ends when its snapshot is there, record and all. Also how fast it steps, with everything that records hold.
#pragma once

#include "engine/session/session.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace engine {

struct SeekingOptions {
  int tokens = 2000;
  int seeks = 60;
  std::uint64_t seed = 0;
  // Above 0: the tokens are a prompt, drawn with the seed, and all but so many of them may be prefilled.
  int step_last = 0;
};

struct Seeking {
  double tokens_per_second = 0;                               // of stepping, or of reading the prompt
  std::int64_t prefilled = 0;                                 // tokens that were not stepped
  std::vector<double> seeks_ms;                               // in the order in which they were made
  std::uint64_t history_bytes = 0, history_budget_bytes = 0;  // when all was stepped
  std::int64_t states_dropped = 0;
  bool same_bits = false;  // every token that was sought had the coefficients and predictions that it had before
};

// A session that has consumed nothing; `progress` (may be empty) gets the share that is behind. Error: the session failed,
// with its reason.
Result<Seeking> measure_seeking(Session& session, const SeekingOptions& options,
                                const std::function<void(double)>& progress);

}  // namespace engine
