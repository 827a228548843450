// The shapes of the released models (state-spaces/mamba3-*, July 2026) by name, for measuring with random weights where
// the released ones are not at hand: what a step costs depends on the shape, not on the values.
#pragma once

#include "engine/base/result.h"
#include "engine/model/config.h"

#include <string>
#include <vector>

namespace engine {

// "siso-187m", ..., "mimo-1.5b", smallest first.
std::vector<std::string> preset_names();
// Input error for a name that is not among them.
Result<ModelConfig> preset(const std::string& name);

}  // namespace engine
