// Somebody who watches a step: a clock, a profiler. Called on the thread that owns the backend, around every stage.
#pragma once

#include "engine/plan/stage.h"

#include <cstdint>
#include <span>

namespace engine {

// A kernel, copy or set inside the recorded step, by CUDA's own handle (a cudaGraphNode_t), and the stage that it is for.
struct GraphNode {
  int stage = 0;
  const void* node = nullptr;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void step_begin(std::int64_t token) = 0;
  virtual void before(const Stage& stage) = 0;
  virtual void after(const Stage& stage) = 0;
  // Before a step that is one CUDA graph is launched, in place of before() and after(): what the graph consists of, in the
  // plan's order; the handles are good during the call. `recording`, 1 or more, is the same as
  // long as the graph is.
  virtual void recorded(std::span<const GraphNode> nodes, std::uint64_t recording) { (void)nodes, (void)recording; }
  // All work of the step has been queued. The next step may begin before this one ends, see Backend::step_all().
  virtual void step_queued() {}
  // All work of the step has finished on the device. Steps end in the order in which they began.
  virtual void step_end(std::int64_t token) = 0;
};

}  // namespace engine
