// The fused step of a large batch: projections as matrix products (kernels/product) in place of passes over the weights for
// a few sequences each. Same plan, same mixer; between products, activations travel as two bf16 parts. Weights are bf16.
// The products are a kernel of the program's own where it has one for the device and the batch (kernels/product/
// narrow_product.h), else cuBLASLt's.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/backend/cuda_weights.h"
#include "engine/backend/fused_arguments.h"
#include "engine/backend/last_keys.h"
#include "engine/plan/stage.h"
#include "kernels/device/buffer.h"
#include "kernels/device/device_info.h"
#include "kernels/fused/fused.h"
#include "kernels/product/matrix_products.h"
#include "kernels/product/parts.h"

#include <cstddef>
#include <optional>

namespace engine {

class ProductStep {
 public:
  ProductStep() = default;
  // Whether there is a product of the program's own for this device and batch.
  static bool has_own(const kernels::DeviceInfo& device, int batch);
  // `own`: with that product, else with cuBLASLt: the logits become two parts then, in memory of its own, and it waits for
  // the stream, on which the products' algorithms are timed. `makes_keys`: nobody reads the cache of keys between steps.
  // Errors: no cuBLASLt, no memory.
  static kernels::DeviceResult<ProductStep> open(const CudaWeights& weights, int batch, bool own, bool makes_keys,
                                                 CudaBuffers& buffers, const kernels::Stream& stream);

  // What multiplies: "tensor cores" or "cublasLt".
  const char* name() const { return library_ ? "cublasLt" : "tensor cores"; }

  // Whether the last token's keys are made again in each step, and the cache of keys therefore stays behind.
  bool makes_keys() const { return makes_keys_; }
  // From the next step on, where the mixer can. Queues what that takes; returns whether anything changed, and with it what
  // launch() queues.
  kernels::DeviceResult<bool> make_keys(bool wanted, const CudaWeights& weights, const CudaBuffers& buffers,
                                        const kernels::Stream& stream);
  // Queues: the cache of keys becomes that of the state's token. `changing`: the state is about to be written.
  kernels::DeviceResult<void> settle_keys(bool changing, const CudaWeights& weights, const CudaBuffers& buffers,
                                          const kernels::Stream& stream) const;

  // Queues a stage of the fused plan, any but `embed`. Stages come in the plan's order.
  kernels::DeviceResult<void> launch(const Stage& stage, const CudaWeights& weights, const CudaBuffers& buffers,
                                     const FusedArguments& arguments, const kernels::Stream& stream,
                                     const kernels::device::Placement& placement);

 private:
  kernels::DeviceResult<void> choose_algorithms(const CudaWeights& weights, const kernels::Stream& stream);
  kernels::DeviceResult<void> norm(const CudaBuffers& buffers, std::span<const float> weight, bool pending,
                                   const kernels::device::Placement& placement) const;

  // Sums that a product leaves to be added up where it is used: cuBLASLt's those of the high and of the low parts, the own
  // kernel's those of pieces of the columns, as many as keep a large device busy.
  int wide_pieces() const { return 2; }
  int narrow_pieces() const { return library_ ? 2 : 4; }

  int batch_ = 1, width_ = 0;
  bool makes_keys_ = false;
  std::optional<LastKeysMemory> last_keys_;  // where the mixer can make them
  std::optional<kernels::MatrixProducts> library_;
  kernels::DeviceBuffer parts_;    // (2 B, widest input) bf16
  kernels::DeviceBuffer gated_;    // (2 B, width of the MLP) bf16; own: it is written while parts_ is read
  kernels::DeviceBuffer product_;  // (pieces, B, widest output but the head's) fp32
  kernels::DeviceBuffer logits_;   // (2 B, V) fp32
};

}  // namespace engine
