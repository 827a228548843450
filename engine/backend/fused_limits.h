// What the fused variant can take: asked before anything is allocated, so that the answer is a message. Pure functions.
#pragma once

#include "engine/base/result.h"
#include "engine/model/weights.h"
#include "kernels/device/device_info.h"

namespace engine {

// Whether the fused kernels take these matrices; the error names the first that they don't.
Result<void> check_fused(const Weights& weights);
// Whether a block of the mixer finds the shared memory that it needs.
Result<void> check_mixer(const ModelConfig& config, kernels::DType state, const kernels::DeviceInfo& device);
// Whether every matrix of the model is bf16, as cuBLASLt wants them.
bool all_bf16(const Weights& weights);

}  // namespace engine
