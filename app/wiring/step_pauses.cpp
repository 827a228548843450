#include "app/wiring/step_pauses.h"

namespace app {

void StepPauses::step_begins() {
  const std::lock_guard lock(mutex_);
  stepping_ = true;
}

void StepPauses::step_ended(Clock::time_point now) {
  {
    const std::lock_guard lock(mutex_);
    stepping_ = false;
    ++steps_;
    last_end_ = now;
  }
  ended_.notify_all();
}

void StepPauses::wait(Clock::time_point latest, Clock::time_point now) const {
  std::unique_lock lock(mutex_);
  const auto age = now - last_end_;
  if (!stepping_ && (age < fresh || age > quiet)) return;
  ended_.wait_until(lock, latest, [this, before = steps_] { return steps_ != before; });
}

}  // namespace app
