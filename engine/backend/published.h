// What a backend hands over of every step without being asked again: enough to draw one layer of one sequence.
#pragma once

#include "engine/backend/state.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace engine {

// What one step left behind in one sequence.
struct Published {
  std::int64_t position = 0;      // tokens consumed, the step's own included
  std::vector<float> logits;      // (V) with padding
  StepCoefficients coefficients;  // of every layer
  LayerState layer;               // of the chosen layer, with the matrix state
};

struct PublishRequest {
  int sequence = 0;
  int layer = 0;
  // Called by the thread that steps, from within a call of the backend; it must not call the backend itself. What it is
  // given is valid until it returns.
  std::function<void(const Published&)> receive;
};

}  // namespace engine
