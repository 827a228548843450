// Models with random weights of any shape: for tests and for measuring without a download.
#pragma once

#include "engine/base/result.h"
#include "engine/model/weights.h"

#include <cstdint>

namespace engine {

// Initialised as the official package does (dt log-uniform, biases 1, mimo_x = mimo_o = 1/R, embedding N(0, 0.02), ...)
// plus a little noise where the initial value is constant, so that every tensor matters; matrices in `dtype`. The same
// seed gives the same bits everywhere. Error: a shape that the engine does not support.
Result<Weights> make_random_weights(const ModelConfig& config, kernels::DType dtype, std::uint64_t seed);

}  // namespace engine
