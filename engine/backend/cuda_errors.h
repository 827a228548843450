// What the stage `errors` of the CUDA backend needs beside the step's own buffers: the keys and values of the token before,
// and room for what it finds, for all layers and a batch of B sequences. Used by the thread that owns the backend.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/backend/step_errors.h"
#include "engine/model/weights.h"
#include "kernels/discretisation_errors/discretisation_errors.h"

namespace engine {

class CudaErrors {
 public:
  // Copies the layers' mimo_x, one behind the other. Waits. clear() comes next.
  static kernels::DeviceResult<CudaErrors> create(const Weights& weights, int batch, const kernels::Stream& stream);

  // Queues the stage, behind what the stream holds.
  kernels::DeviceResult<void> launch(const CudaBuffers& buffers, const kernels::Stream& stream, bool overlap) const;
  // The same on a stream of its own: what the caller queues from now on runs beside it, up to join().
  kernels::DeviceResult<void> launch_beside(const CudaBuffers& buffers, const kernels::Stream& stream) const;
  kernels::DeviceResult<void> join(const kernels::Stream& stream) const;
  // Queues: no token was before, nothing was found.
  kernels::DeviceResult<void> clear(const kernels::Stream& stream) const;
  // Of one sequence; both wait.
  kernels::DeviceResult<void> read(const kernels::Stream& stream, int sequence, StepErrors& out);
  // Queues: the token before, of every sequence, is the one whose key and value lie in the buffers.
  kernels::DeviceResult<void> take_last(const CudaBuffers& buffers, const kernels::Stream& stream) const;
  // The token before is the saved state's last one.
  kernels::DeviceResult<void> restore(const kernels::Stream& stream, int sequence,
                                      const std::vector<LayerState>& state) const;

 private:
  kernels::DiscretisationErrorsArgs<float> arguments(const CudaBuffers& buffers) const;

  ModelConfig config_;
  int batch_ = 1;
  std::size_t keys_ = 0, values_ = 0, found_ = 0;  // floats of one sequence and layer
  std::size_t values_at_ = 0, found_at_ = 0;       // offsets in memory_, behind the keys
  kernels::DeviceBuffer memory_, mimo_x_;
  kernels::PinnedBuffer staging_;
  kernels::Stream beside_;
  kernels::Event begin_, end_;  // of what runs beside
};

}  // namespace engine
