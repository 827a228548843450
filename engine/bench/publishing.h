// What it costs to publish what every step leaves behind, a chosen layer's state included: steps with and without, taking
// turns, so that a drift of the clock meets both.
#pragma once

#include "engine/backend/backend.h"

#include <cstdint>
#include <span>
#include <vector>

namespace engine {

struct PublishingCost {
  int layer = 0;
  std::size_t bytes = 0;                    // that a step handed over, as fp32
  std::vector<double> without_ms, with_ms;  // of each step
  bool complete = false;                    // every step came, once and in order
  bool same_bits = false;                   // the last one is what the read functions give
  bool verified() const { return complete && same_bits; }
};

// Steps the backend at least twice as often as `steps`, from where it stands. Input error: there is no such layer.
Result<PublishingCost> measure_publishing(Backend& backend, std::span<const std::int32_t> ids, int layer, int steps);

}  // namespace engine
