// The shape of a model as named numbers and back, for recorded profiles, which know no model.
#pragma once

#include "engine/base/result.h"
#include "engine/model/config.h"

#include <string>
#include <utility>
#include <vector>

namespace app {

std::vector<std::pair<std::string, double>> shape_numbers(const engine::ModelConfig& config);

// Names that are not known are passed over. Error (input): a number is missing or is none that a shape can have. Widths
// are at most 2^24, so that nothing derived from them overflows.
engine::Result<engine::ModelConfig> shape_of(const std::vector<std::pair<std::string, double>>& numbers);

}  // namespace app
