#include "app/wiring/step_pauses.h"

#include <algorithm>

namespace app {

void StepPauses::step_begins(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  pauses_[steps_ % pauses_.size()] = now - since_;
  stepping_ = true;
  since_ = now;
}

void StepPauses::step_ended(Clock::time_point now) {
  {
    const std::lock_guard lock(mutex_);
    stepping_ = false;
    ++steps_;
    since_ = now;
  }
  ended_.notify_all();
}

bool StepPauses::wait(Clock::time_point latest, Clock::time_point now) const {
  std::unique_lock lock(mutex_);
  const auto age = now - since_;
  if (age > quiet) return false;
  const auto shortest = *std::min_element(pauses_.begin(), pauses_.end());
  if (!stepping_ && (age < fresh || age + enough < shortest)) return true;
  ended_.wait_until(lock, latest, [this, before = steps_] { return steps_ != before; });
  return true;
}

}  // namespace app
