// A sequence of device work that was recorded once and is launched as a whole: one launch in place of hundreds. What it
// holds are the addresses and sizes at the time of recording. Move-only; calls are made by the thread that owns the
// stream.
#pragma once

#include "kernels/device/stream.h"

#include <functional>
#include <utility>

struct CUgraphExec_st;  // CUDA's own name of what cudaGraphExec_t points to

namespace kernels {

class Graph {
 public:
  Graph() = default;
  Graph(Graph&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Graph();

  // Records what `queue` queues on the stream, which must be idle; nothing of it is executed. Errors: of `queue`, or a
  // call in it that can't be recorded (anything that waits).
  static DeviceResult<Graph> record(const Stream& stream, const std::function<DeviceResult<void>()>& queue);

  DeviceResult<void> launch(const Stream& stream) const;
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  CUgraphExec_st* handle_ = nullptr;
};

}  // namespace kernels
