// What it costs to draw the next id on top of a step: a model that runs on its own draws beside steps whose ids are given,
// taking turns, so that a drift of the clock meets both.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/config.h"
#include "engine/sampling/sampler.h"

#include <cstdint>
#include <span>
#include <vector>

namespace engine {

struct GeneratingCost {
  Sampler sampler;
  int draws_compared = 0;                   // with the host's, of the first and the last sequence
  bool same_ids = false;                    // all of them
  std::vector<double> without_ms, with_ms;  // a step, by the host's clock, over each turn
  bool verified() const { return same_ids; }
};

// Steps the backend at least twice as often as `steps`, from where it stands. `ids` (B) are those of the steps that are
// given theirs.
Result<GeneratingCost> measure_generating(Backend& backend, const ModelConfig& config, const Sampler& sampler,
                                          std::span<const std::int32_t> ids, int steps);

}  // namespace engine
