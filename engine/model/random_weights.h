// Models with random weights of any shape: for tests and for measuring without a download. The matrices, which are
// nearly all of a model, are drawn on the host or left to the device that computes with them; the bits are the same.
#pragma once

#include "engine/base/result.h"
#include "engine/model/weights.h"
#include "kernels/random/random_fill.h"

#include <cstdint>
#include <map>

namespace engine {

// Initialised as the official package does (dt log-uniform, biases 1, mimo_x = mimo_o = 1/R, embedding N(0, 0.02), ...)
// plus a little noise where the initial value is constant, so that every tensor matters; matrices in `dtype`. The same
// seed gives the same bits everywhere. Error: a shape that the engine does not support.
Result<Weights> make_random_weights(const ModelConfig& config, kernels::DType dtype, std::uint64_t seed);

// The same without the matrices' elements (Weights::seed_to_draw is set): for the CUDA backend, which draws them itself,
// in milliseconds where the host takes seconds and as much memory again.
Result<Weights> plan_random_weights(const ModelConfig& config, kernels::DType dtype, std::uint64_t seed);

// How each matrix of planned weights is drawn, by its address in `weights`; a tied head is not among them. Empty for
// weights that need no drawing.
std::map<const kernels::Matrix*, kernels::RandomFill> random_fills(const Weights& weights);

// Planned weights with their matrices drawn on all cores; weights that need no drawing come back as they are. Error
// (system): no memory.
Result<Weights> draw_on_host(Weights weights);

}  // namespace engine
