// What the fused variant can take: asked before anything is allocated, so that the answer is a message. Pure functions.
#pragma once

#include "engine/backend/backend.h"
#include "engine/base/result.h"
#include "engine/model/weights.h"
#include "kernels/device/device_info.h"
#include "kernels/fused/mixer.h"

namespace engine {

// Whether the options go together: a narrower state with the fused variant, cuBLASLt with bf16 weights.
Result<void> check_options(const Weights& weights, const BackendOptions& options);
// Whether the fused kernels take these matrices; the error names the first that they don't.
Result<void> check_fused(const Weights& weights);
// What the mixer's limits depend on, and nothing else of its arguments: no pointer of it may be followed.
kernels::MixerArgs mixer_shape(const ModelConfig& config, kernels::DType state);
// Whether a block of the mixer finds the shared memory that it needs.
Result<void> check_mixer(const ModelConfig& config, kernels::DType state, const kernels::DeviceInfo& device);
// Whether every matrix of the model is bf16, as cuBLASLt wants them.
bool all_bf16(const Weights& weights);
// Whether a fused step of these options multiplies on tensor cores, where that can be opened.
bool wants_products(const Weights& weights, const BackendOptions& options);

}  // namespace engine
