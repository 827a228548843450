// Weights with the sign of one value turned: an error to be found by what is meant to find errors.
#pragma once

#include "engine/base/result.h"
#include "engine/model/weights.h"

#include <cstddef>
#include <memory>
#include <string>

namespace engine {

struct PlantedError {
  std::string tensor;     // official name, or the end of one behind a dot: "layers.1.mixer.B_bias"
  std::size_t index = 0;  // of the value, row by row
};

// "layers.1.mixer.D[3]"; without brackets the first value. Error (input): it is not written so.
Result<PlantedError> parse_planted_error(const std::string& text);

// A copy of the weights with that one sign turned; matrices that are not touched are shared, and kept alive by what keeps the
// original's. A tied head is turned with the embedding. Errors (input): no such tensor, or several; no such value; a value of
// zero, which has no sign to turn; weights that are only planned.
Result<std::shared_ptr<const Weights>> plant(const Weights& weights, const PlantedError& error);

}  // namespace engine
