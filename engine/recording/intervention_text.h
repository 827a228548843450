// A list of interventions as JSON text and back, for recordings. Any thread.
#pragma once

#include "engine/base/result.h"
#include "engine/intervention/intervention.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

// [{"quantity": "rotation", "operation": "scale", "value": 0, "layers": [0, -1], "heads": ..., "ranks": ..., "pairs": ...,
// "row": 0, "channel": 0, "tokens": [20, -1]}, ...]; ranges are [first, end), -1: to the last one.
std::string text_of(std::span<const Intervention> interventions);

// Errors (input): not such a list, an unknown word, a number that is not finite or a range that is none, more than 4096.
Result<std::vector<Intervention>> interventions_of(std::string_view text);

}  // namespace engine
