// Joins the engine's observer and the profiler: watches the steps of one session and keeps the measured times of its
// newest tokens. The stepping thread writes, the UI thread reads copies; device times arrive later, from the profiler's
// collector.
#pragma once

#include "app/wiring/step_pauses.h"
#include "engine/plan/observer.h"
#include "profiler/activity/stage_time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace profiler {
class ActivitySession;
struct Unavailable;
}  // namespace profiler

namespace app {

class TimingStore : public engine::Observer {
 public:
  static constexpr std::size_t default_tokens = 512;

  // `source` tells the sessions of this process apart: 1, 2, ... Times come from the stage clock, or from CUPTI where
  // `gpu` is set and activity records are available; where they are not, a GPU step has its wall time only and status()
  // says why. With `gpu`, call before the first CUDA call of the process. Keeps the newest `tokens` tokens.
  static std::unique_ptr<TimingStore> make(std::uint16_t source, bool gpu, std::size_t tokens = default_tokens);
  // A GPU's, on a profiler session of the caller's; null: none, for the reason given.
  static std::unique_ptr<TimingStore> make(std::uint16_t source, profiler::ActivitySession* session,
                                           const profiler::Unavailable& why, std::size_t tokens = default_tokens);

  // The newest tokens' times, oldest first, at most `count`; a token whose device times are still on their way is not
  // among them. A token that was stepped again is there once, with its newest times. Any thread.
  virtual std::vector<std::shared_ptr<const profiler::TokenTimes>> newest(std::size_t count) const = 0;
  // Waits until the device times of every finished step are in. Not on the UI thread.
  virtual void flush() = 0;
  virtual profiler::ProfilerStatus status() const = 0;
  // Name of an interned kernel; empty for 0.
  virtual std::string kernel_name(std::uint32_t name) const = 0;
  // Of a GPU's steps; null: of no GPU.
  virtual const StepPauses* pauses() const { return nullptr; }
};

}  // namespace app
