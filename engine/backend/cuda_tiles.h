// The state of the CUDA backend at a coarser grain: one kernel, queued behind a step, reduces all layers where they lie; a
// second stream brings the blocks to pinned memory while the next step runs, or only their summary when the blocks are to
// stay on the device. Memory is kept in places that are used again once nobody holds what lies in them. Used by the thread
// that owns the backend; what it hands out may be held and let go by any.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/backend/state_tiles.h"
#include "engine/model/config.h"

#include <memory>

namespace engine {

class CudaTiles {
 public:
  struct Asked {
    int sequence = 0;
    std::int64_t position = 0;  // tokens that the state has consumed
    TilesRequest request;
  };
  CudaTiles();
  ~CudaTiles();
  // Does not wait.
  kernels::DeviceResult<std::unique_ptr<ComingTiles>> queue(const CudaBuffers& buffers, const ModelConfig& config,
                                                            const kernels::Stream& stream, const Asked& asked);

 private:
  class Places;
  class Place;
  class Coming;
  std::shared_ptr<Places> places_;
  std::shared_ptr<kernels::Stream> copies_;
};

}  // namespace engine
