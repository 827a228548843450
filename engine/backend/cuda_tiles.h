// Reads the state of the CUDA backend at a coarser grain: one kernel reduces all layers where they lie, and only the
// blocks are copied. Its memory grows to what was asked for. Used by the thread that owns the backend.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/backend/state_tiles.h"
#include "engine/model/config.h"

namespace engine {

class CudaTiles {
 public:
  // `out.rows` and `out.columns` say how fine; fills the blocks. Waits.
  kernels::DeviceResult<void> read(const CudaBuffers& buffers, const ModelConfig& config, const kernels::Stream& stream,
                                   int sequence, StateTiles& out);

 private:
  std::size_t bytes_ = 0;
  kernels::DeviceBuffer device_;
  kernels::PinnedBuffer host_;
};

}  // namespace engine
