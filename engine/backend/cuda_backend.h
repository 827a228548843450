// The step on an NVIDIA GPU: state, weights and activations live on the device, one kernel a stage, launched in the plan's
// order on one stream and waited for once. fp32 activations and state (the fused
// variant can keep its matrix state in bf16). The fused variant's plan has fewer, larger stages,
// whose kernels overlap at their ends unless an observer wants to see each by itself. All calls come from the thread that owns the
// backend. After a failure of the device every call answers with that failure; what was read before stays valid. The same
// launches can be recorded once as a CUDA graph.
#pragma once

#include "engine/backend/backend.h"

#include <memory>
#include <string>

namespace engine {

// Takes the options' batch, variant, state and graph. Uploads the weights, which are not needed afterwards, and resets. Errors: no usable device, not enough memory.
// The environment's MAMBASCOPE_SYNC_STAGES=1 (and a debug build) waits after every stage, so that a failure inside a
// kernel names its stage and layer; there is no graph then.
Result<std::unique_ptr<Backend>> make_cuda_backend(const Weights& weights, const BackendOptions& options);

}  // namespace engine
