// The fused step of a large batch: projections as matrix products (kernels/product) in place of passes over the weights for
// a few sequences each. Same plan, same mixer; between products, activations travel as two bf16 parts. Weights are bf16.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/backend/cuda_weights.h"
#include "engine/backend/fused_arguments.h"
#include "engine/plan/stage.h"
#include "kernels/device/buffer.h"
#include "kernels/fused/fused.h"
#include "kernels/product/matrix_products.h"
#include "kernels/product/parts.h"

#include <cstddef>

namespace engine {

class ProductStep {
 public:
  ProductStep() = default;
  // Errors: no cuBLASLt, no memory.
  // The logits become two parts, in memory of its own. Waits for the stream, on which the products' algorithms are timed.
  static kernels::DeviceResult<ProductStep> open(const CudaWeights& weights, int batch, CudaBuffers& buffers,
                                                 const kernels::Stream& stream);

  // Queues a stage of the fused plan, any but `embed`. Stages come in the plan's order.
  kernels::DeviceResult<void> launch(const Stage& stage, const CudaWeights& weights, const CudaBuffers& buffers,
                                     const FusedArguments& arguments, const kernels::Stream& stream,
                                     const kernels::device::Placement& placement);

 private:
  kernels::DeviceResult<void> choose_algorithms(const CudaWeights& weights, const kernels::Stream& stream);
  kernels::DeviceResult<void> norm(const CudaBuffers& buffers, std::span<const float> weight, bool pending,
                                   const kernels::device::Placement& placement) const;

  int batch_ = 1, width_ = 0;
  kernels::MatrixProducts products_;
  kernels::DeviceBuffer parts_;    // (2 B, widest input) bf16
  kernels::DeviceBuffer product_;  // (2 B, widest output but the head's) fp32
  kernels::DeviceBuffer logits_;   // (2 B, V) fp32
};

}  // namespace engine
