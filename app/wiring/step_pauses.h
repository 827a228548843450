// When the device is between two steps: who draws on the same GPU hands over its frame then, because a GPU that turns from
// computing to drawing and back interrupts a step for most of a millisecond. The stepping thread tells, the UI thread waits.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace app {

class StepPauses {
 public:
  using Clock = std::chrono::steady_clock;

  void step_begins(Clock::time_point now = Clock::now());
  void step_ended(Clock::time_point now = Clock::now());
  // Waits for the end of a step, at most until `latest`. Returns at once in a pause that has just begun or that is long
  // enough still, judged by the last pauses, and where none has begun or ended for a while: nothing follows then, or a step
  // so long that it is not worth waiting for, or one that failed and never ends. Whether steps follow each other.
  bool wait(Clock::time_point latest, Clock::time_point now = Clock::now()) const;

 private:
  static constexpr std::chrono::microseconds fresh{700};  // a pause of any length that began so long ago
  static constexpr std::chrono::milliseconds enough{2};   // of a pause, for a frame
  static constexpr std::chrono::milliseconds quiet{20};   // after it nobody expects a beginning or an end

  mutable std::mutex mutex_;
  mutable std::condition_variable ended_;
  bool stepping_ = false;
  std::size_t steps_ = 0;                    // that have ended
  Clock::time_point since_{};                // the last beginning or end
  std::array<Clock::duration, 8> pauses_{};  // the last ones, as they come
};

}  // namespace app
