// A sequence of device work that was recorded once and is launched as a whole: one launch in place of hundreds. What it
// holds are the addresses and sizes at the time of recording. Move-only; calls are made by the thread that owns the
// stream.
#pragma once

#include "kernels/device/stream.h"

#include <functional>
#include <unordered_set>
#include <utility>
#include <vector>

// CUDA's own names of what cudaGraphExec_t, cudaGraph_t and cudaGraphNode_t point to.
struct CUgraphExec_st;
struct CUgraph_st;
struct CUgraphNode_st;

namespace kernels {

class Graph {
 public:
  Graph() = default;
  Graph(Graph&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), recorded_(std::exchange(other.recorded_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(recorded_, other.recorded_);
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
  CUgraph_st* recorded_ = nullptr;  // kept, so that the nodes' handles stay good for whoever tells them apart
};

// Tells which nodes each piece of a recording adds: several for a stage of several kernels, whatever their edges are.
class NodeWatch {
 public:
  // The nodes added since the last call, in no order; within Graph::record, on its stream. They live as long as the graph.
  DeviceResult<std::vector<const CUgraphNode_st*>> added(const Stream& stream);

 private:
  std::unordered_set<const CUgraphNode_st*> seen_;
};

}  // namespace kernels
