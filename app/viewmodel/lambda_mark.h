// How every view says that a model's lambda is not its own. Pure.
#pragma once

#include "engine/model/config.h"

#include <string>

namespace app {

// "λ = 1 override" where task.json fixes lambda; empty where the model computes it.
std::string lambda_mark(const engine::ModelConfig& config);

}  // namespace app
