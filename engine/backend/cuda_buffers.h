// The memory of the CUDA backend beside the weights: the recurrent state, the coefficients and the activations of a step,
// for a batch of B sequences. Names and shapes as in HostBuffers; everything in fp32, except a matrix state that was asked
// for in bf16, in three allocations. Arrays of the
// same kind lie layer after layer, so that one sequence's part of many layers is one copy of equally spaced rows.
#pragma once

#include "engine/backend/published.h"
#include "engine/backend/state.h"
#include "engine/model/config.h"
#include "kernels/device/buffer.h"
#include "kernels/device/gather.h"
#include "kernels/device/stream.h"
#include "kernels/intervention/intervention.h"
#include "kernels/matrix.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace engine {

class CudaBuffers {
 public:
  struct Layer {
    std::span<float> angle;                                                        // (B, H, S)
    std::span<std::int32_t> turns;                                                 // (B, H, S)
    std::span<float> h;                                                            // (B, H, P, N); empty if not fp32
    void* matrix = nullptr;                                                        // the same in its own type
    std::span<float> k_prev;                                                       // (B, R, H, N)
    std::span<float> x_prev;                                                       // (B, H, P)
    std::span<float> dt, a, lambda, alpha, beta, gamma, state_norm, state_change;  // (B, H)
    std::span<float> turn;                                                         // (B, S)
    kernels::LayerChanges changes;                                                 // see CudaChanges
  };
  std::vector<Layer> layers;

  std::span<std::int32_t> ids;              // (B)
  std::span<float> residual, normed;        // (B, d)
  std::span<float> projected;               // (B, rows of the input projection)
  std::span<float> k, q;                    // (B, R, H, N)
  std::span<float> row_norm2, row_change2;  // (B, H, P)
  std::span<float> values;                  // (B, R, H, P)
  std::span<float> mixed;                   // (B, H, P); MIMO only
  std::span<float> hidden;                  // (B, MLP width)
  std::span<float> logits;                  // (B, V)
  std::span<float> logits_rest;             // (B, V) to be added to them; empty but where they come in two parts
  std::span<float> rest;                    // (B, H): 1 - lambda; fused variant
  std::span<float> half_squares;            // (B, H, 2): scratch of the fused mixer

  CudaBuffers() = default;
  // Uninitialised memory; clear() comes next.
  static kernels::DeviceResult<CudaBuffers> allocate(const ModelConfig& config, int batch,
                                                     kernels::DType state = kernels::DType::f32);

  // Queues: state, coefficients and logits become zeros.
  kernels::DeviceResult<void> clear(const kernels::Stream& stream) const;

  // Of one sequence. Both wait; both use pinned memory of their own that grows to what was asked for.
  kernels::DeviceResult<void> read_coefficients(const kernels::Stream& stream, int sequence, StepCoefficients& out);
  kernels::DeviceResult<void> read_logits(const kernels::Stream& stream, int sequence, std::span<float> out);
  kernels::DeviceResult<void> read_residual(const kernels::Stream& stream, int sequence, std::span<float> out);
  kernels::DeviceResult<void> write_residual(const kernels::Stream& stream, int sequence, std::span<const float> from);
  // Fills out[l] for each l of `chosen`.
  kernels::DeviceResult<void> read_state(const kernels::Stream& stream, int sequence, std::span<const int> chosen,
                                         bool with_ssm, std::vector<LayerState>& out);
  // The sizes of `state` fit, see holds(). A bf16 matrix state takes the nearest values, ties to even.
  kernels::DeviceResult<void> write_state(const kernels::Stream& stream, int sequence,
                                          const std::vector<LayerState>& state);
  // Where what a step leaves in one sequence lies, and how many bytes it takes gathered.
  struct StepPieces {
    kernels::device::GatherArgs gather;
    std::size_t bytes = 0;
  };
  StepPieces step_pieces(int sequence, int layer) const;
  void unpack(const StepPieces& pieces, const std::byte* gathered, Published& out) const;

  // Whether a saved layer has the sizes of this model, the matrix state included.
  bool holds(const LayerState& saved) const;

  std::size_t state_bytes_per_sequence() const;
  kernels::DType state_dtype() const { return state_dtype_; }  // of the matrix state

 private:
  // One kind of cache: an array (L, B, count) on the device.
  struct Cache {
    void* data = nullptr;
    std::size_t count = 0;        // values of one sequence and layer
    std::size_t value_bytes = 4;  // 2: bf16
    std::size_t bytes() const { return value_bytes * count; }
    // One sequence's values of one layer, as they lie on the device and as they are saved.
    template <class T>
    void unpack(const std::byte* stored, std::vector<T>& to) const;
    template <class T>
    void pack(const std::vector<T>& from, std::byte* stored) const;
  };
  // All layers' values per head, then their turns.
  void unpack_coefficients(const float* heads, const float* turns, StepCoefficients& out) const;
  kernels::DeviceResult<void> reserve_staging(std::size_t bytes);
  std::size_t pitch(const Cache& cache) const { return cache.bytes() * static_cast<std::size_t>(batch_); }
  std::byte* place(const Cache& cache, int layer, int sequence) const;

  int batch_ = 1;
  std::size_t heads_ = 0, angles_ = 0;
  kernels::DType state_dtype_ = kernels::DType::f32;
  Cache angle_, turns_, k_, x_, h_;
  kernels::DeviceBuffer state_, coefficients_, activations_;
  kernels::PinnedBuffer staging_;
};

}  // namespace engine
