// What interventions cost that change nothing: steps whose tables are there with neutral entries only, and steps without
// any, taking turns on one backend, so that a drift of the clock meets both.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/config.h"

#include <span>
#include <vector>

namespace engine {

struct NeutralCost {
  int tokens = 0;                           // stepped both ways before they were timed
  bool same_bits = false;                   // logits and states of the first and the last sequence after them
  std::vector<double> without_ms, with_ms;  // of each timed step
  bool verified() const { return same_bits; }
};

// All kinds of tables for every sequence: heads, ranks and pairs. Steps the backend at least twice as often as `steps`;
// afterwards nothing is changed any more. Errors: those of the backend, also one that cannot change its steps.
Result<NeutralCost> measure_neutral_cost(Backend& backend, const ModelConfig& config, std::span<const std::int32_t> ids,
                                         int steps);

}  // namespace engine
