// Joins the engine's observer and the profiler: watches the steps of one session and keeps the measured times of its
// newest tokens. The stepping thread writes, the UI thread reads copies.
#pragma once

#include "engine/plan/observer.h"
#include "profiler/activity/stage_time.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace app {

class TimingStore : public engine::Observer {
 public:
  // `source` tells the sessions of this process apart. Times come from the stage clock, or from CUPTI where `gpu` is
  // set and activity records are available.
  static std::unique_ptr<TimingStore> make(std::uint16_t source, bool gpu);
  // The newest tokens' times, oldest first, at most `count`. Any thread.
  virtual std::vector<std::shared_ptr<const profiler::TokenTimes>> newest(std::size_t count) const = 0;
  virtual profiler::ProfilerStatus status() const = 0;
  // Name of an interned kernel; empty for 0.
  virtual std::string kernel_name(std::uint32_t name) const = 0;
};

}  // namespace app
