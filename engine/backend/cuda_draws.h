// What a GPU needs to step on ids that it draws itself: where each sequence stands, and the ids drawn so far, which come
// back in one copy. One thread, the backend's.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "kernels/device/buffer.h"
#include "kernels/device/stream.h"
#include "kernels/sample/sample.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace engine {

class CudaDraws {
 public:
  CudaDraws() = default;
  static kernels::DeviceResult<CudaDraws> create(int batch);

  // Steps whose ids there is room for.
  std::size_t capacity() const { return capacity_; }
  // Queues: the next draw takes this position and is the first to be fetched. Nothing that was queued before may be running.
  kernels::DeviceResult<void> begin(const kernels::Stream& stream, std::int64_t position);
  // A draw from the buffers' logits, to their ids. Addresses stay the same from call to call.
  kernels::SampleArgs arguments(const CudaBuffers& buffers, int vocab, const kernels::DrawRule& rule) const;
  // The ids of the draws since begin(), (steps, B). Waits for all that was queued.
  kernels::DeviceResult<void> fetch(const kernels::Stream& stream, std::span<std::int32_t> ids);

 private:
  std::size_t batch_ = 0, capacity_ = 0;
  kernels::DeviceBuffer cursors_, drawn_;
  kernels::PinnedBuffer host_cursors_, host_drawn_;
};

}  // namespace engine
