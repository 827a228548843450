// Pieces of a text through the layers of a model, many tokens of one sequence at once: what the CUDA backend's prefill() is
// made of. Projections are matrix products over the tokens of a piece: cuBLASLt's with activations in two bf16 parts where
// weights are bf16 and it can be opened, else the staged variant's own. What is between them is kernels/prefill. Leaves a
// sequence's state as steps would, and neither logits nor coefficients: the last token of a text is stepped. Used by the
// thread that owns the backend.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/backend/cuda_weights.h"
#include "engine/backend/prefill_arrays.h"
#include "kernels/device/buffer.h"
#include "kernels/device/stream.h"
#include "kernels/fused/fused_projection.h"
#include "kernels/prefill/prefill.h"
#include "kernels/product/matrix_products.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace engine {

class CudaPrefill {
 public:
  // Memory for a piece and, where it serves, the products' library. Waits. Errors: no memory, a failure of the device.
  static kernels::DeviceResult<CudaPrefill> create(const CudaWeights& weights, const kernels::Stream& stream);
  // Whether a block's shared memory is enough on this device.
  static bool fits(const ModelConfig& config, std::size_t block_shared_bytes);

  bool uses_library() const { return products_.has_value(); }

  // A piece of 1 to PrefillArrays::most_tokens tokens of one sequence, from the state that it has; ids in the vocabulary.
  // Waits.
  kernels::DeviceResult<void> run(std::span<const std::int32_t> ids, int sequence, const CudaWeights& weights,
                                  const CudaBuffers& buffers, const kernels::Stream& stream);

 private:
  // A piece on its way through the layers. `rows`: its tokens, filled up to what products are made for.
  struct Piece {
    int tokens, rows, sequence;
    const CudaWeights& weights;
    const CudaBuffers& buffers;
    const kernels::Stream& stream;
  };
  kernels::DeviceResult<void> try_products(const CudaWeights& weights, const kernels::Stream& stream);
  kernels::DeviceResult<void> run_layer(const Piece& piece, std::size_t layer);
  kernels::DeviceResult<void> run_mixer(const Piece& piece, std::size_t layer, bool last) const;
  kernels::PrefillArgs<float> mixer(const Piece& piece, std::size_t layer) const;
  kernels::CoefficientRows coefficient_rows(const Piece& piece, std::size_t layer) const;
  // The library's way: products of parts, what they leave is added to the residual by the next norm. The rows of the
  // coefficients are multiplied in fp32: what tensor cores cut off in every sum would add up in decays and angles.
  kernels::DeviceResult<void> project_in(const Piece& piece, const CudaLayerWeights& layer, bool pending);
  kernels::DeviceResult<void> norm_parts(const Piece& piece, std::span<const float> weight, bool pending) const;
  kernels::DeviceResult<void> multiply(const Piece& piece, const kernels::Matrix& matrix);
  kernels::DeviceResult<void> gate_parts(const Piece& piece, int width) const;
  // The own way.
  kernels::DeviceResult<void> norm(const Piece& piece, std::span<const float> weight) const;
  kernels::DeviceResult<void> project(const Piece& piece, const kernels::Matrix& matrix, kernels::ProjectionMode mode,
                                      std::size_t in, std::size_t out) const;
  float* at(std::size_t offset) const { return memory_.at<float>(offset); }

  std::optional<kernels::MatrixProducts> products_;
  PrefillArrays arrays_;
  kernels::DeviceBuffer memory_;
  kernels::PinnedBuffer ids_;
};

}  // namespace engine
