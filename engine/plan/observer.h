// Somebody who watches a step: a clock, a profiler. Called on the thread that owns the backend, around every stage.
#pragma once

#include "engine/plan/stage.h"

#include <cstdint>

namespace engine {

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void step_begin(std::int64_t token) = 0;
  virtual void before(const Stage& stage) = 0;
  virtual void after(const Stage& stage) = 0;
  // All work of the step has finished on the device.
  virtual void step_end(std::int64_t token) = 0;
};

}  // namespace engine
