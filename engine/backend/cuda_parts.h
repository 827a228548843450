// What a CUDA backend is made of: everything that opening a model takes from the device, before the first step.
#pragma once

#include "engine/backend/backend.h"
#include "engine/backend/cuda_buffers.h"
#include "engine/backend/cuda_errors.h"
#include "engine/backend/cuda_weights.h"
#include "engine/backend/product_step.h"
#include "engine/base/result.h"
#include "engine/plan/step_plan.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device_info.h"
#include "kernels/device/stream.h"

#include <optional>

namespace engine {

struct CudaParts {
  BackendInfo info;
  kernels::DeviceInfo device;
  StepPlan plan;
  kernels::Stream stream;
  kernels::PinnedBuffer ids;  // (B) int32
  CudaWeights weights;
  CudaBuffers buffers;                  // uninitialised
  std::optional<ProductStep> products;  // where projections are matrix products
  std::optional<CudaErrors> errors;     // where they are measured
};

// Checks that the model and the options fit the device, then uploads the weights. Errors: what does not fit, no device, no
// memory, cancelled.
Result<CudaParts> open_cuda_parts(const Weights& weights, const BackendOptions& options);

}  // namespace engine
