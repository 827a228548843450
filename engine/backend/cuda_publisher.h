// Hands over what every step of the CUDA backend leaves without holding the next step up. Behind the step, on its stream,
// one kernel gathers the pieces before they are overwritten (microseconds); a second stream brings them into pinned memory
// while the next step runs. Three places take turns: one step is gathered, one on its way, one handed over, and the device
// has a step queued behind the one that it runs while the host hands over. One thread, the backend's.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/backend/published.h"

#include <array>
#include <cstdint>
#include <memory>

namespace engine {

class CudaPublisher {
 public:
  // The request's sequence and layer are the buffers', which must outlive this and stay where they are.
  static kernels::DeviceResult<std::unique_ptr<CudaPublisher>> create(const CudaBuffers& buffers,
                                                                      PublishRequest request, int multiprocessors);
  CudaPublisher(const CudaPublisher&) = delete;
  CudaPublisher& operator=(const CudaPublisher&) = delete;
  ~CudaPublisher();

  // Called when a step has been queued on `step`: queues the gathering behind it and the copy of what was gathered. Then
  // waits for the second step before it and hands that one over.
  kernels::DeviceResult<void> follow(const kernels::Stream& step, std::int64_t position);
  // Waits for the steps that are left and hands them over.
  kernels::DeviceResult<void> finish();

 private:
  struct Place {
    std::size_t offset = 0;            // of this place in both memories
    kernels::Event gathered, arrived;  // on the step's stream; on the copies'
    std::int64_t position = 0;
    bool pending = false;  // not handed over yet
  };
  CudaPublisher(const CudaBuffers& buffers, PublishRequest request, int multiprocessors);
  kernels::DeviceResult<void> hand_over(Place& place);

  const CudaBuffers& buffers_;
  PublishRequest request_;
  int multiprocessors_;
  CudaBuffers::StepPieces pieces_;
  kernels::Stream copies_;
  kernels::DeviceBuffer device_;
  kernels::PinnedBuffer host_;
  std::array<Place, 3> places_;
  std::size_t next_ = 0;  // the oldest, empty
  Published published_;
};

}  // namespace engine
