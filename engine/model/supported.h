// Which shapes this engine can step. Checked once, at the border: kernels take what they are given.
#pragma once

#include "engine/base/result.h"
#include "engine/model/config.h"

namespace engine {

// Input error that names the field by its place in config.json, its value and what is supported: P in 8..256 and
// dividing D_in, N a multiple of 8 in 8..256, R in 1..8, G dividing H, rope_fraction 0.5 or 1, sizes positive and
// bounded so that no size derived from them overflows an int.
Result<void> check_supported(const ModelConfig& config);

}  // namespace engine
