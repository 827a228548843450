// The bounded list of timed tokens behind a TimingStore: steps are begun and finished by the stepping thread, device
// times are added by the profiler's collector, and readers get immutable token times. Any thread.
#pragma once

#include "profiler/activity/stage_time.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace app {

class TimedTokens {
 public:
  explicit TimedTokens(std::size_t most) : most_(most) {}

  // A step for the token at this position begins; older times of the same position are forgotten. Returns the step's
  // number, unique in this list.
  std::uint32_t begin(std::int64_t position, profiler::TimeSource source, std::int64_t start_ns);
  // The step is finished; its wall time begins where that of the step before it ended, when it was begun before that.
  // `stages` are times taken on the host; `last_stage` is the stage whose device time completes the
  // token when device times are still to come, negative when none are.
  void finish(std::uint32_t step, std::int64_t end_ns, std::vector<profiler::StageTime> stages, int last_stage);
  // Device times, whose tags carry step numbers. Times of forgotten steps are let go.
  void add(std::span<const profiler::StageTime> times);
  // Of these times, how many lie inside one of the steps.
  std::size_t inside(std::span<const profiler::StageTime> times) const;

  std::vector<std::shared_ptr<const profiler::TokenTimes>> newest(std::size_t count) const;

 private:
  struct Entry {
    std::uint32_t step = 0;
    std::shared_ptr<profiler::TokenTimes> times;
    bool finished = false;
    bool complete = false;
    int last_stage = -1;
    mutable bool shared = false;  // a reader has it: change a copy
  };
  Entry* find(std::uint32_t step);
  static profiler::TokenTimes& own(Entry& entry);

  std::size_t most_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;  // by step number
  std::uint32_t next_step_ = 1;
  std::int64_t highest_ = -1;  // position that was ever begun
  std::int64_t last_end_ns_ = INT64_MIN;
};

}  // namespace app
