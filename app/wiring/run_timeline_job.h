// Makes the axis of all tokens in the background: of a million pieces that takes a second or so, which no frame waits for.
// Asked from the window's thread; `on_change` is called on the job's.
#pragma once

#include "app/viewmodel/run_timeline.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <vector>

namespace app {

class RunTimelineJob {
 public:
  RunTimelineJob(engine::StepPlan plan, std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens);
  // Ends it within some tokens.
  ~RunTimelineJob();
  RunTimelineJob(const RunTimelineJob&) = delete;
  RunTimelineJob& operator=(const RunTimelineJob&) = delete;

  double progress() const { return done_; }  // 0..1
  // What was made, once; null before, and after it was taken.
  std::shared_ptr<const RunTimeline> take();

 private:
  std::atomic<bool> cancelled_{false};
  std::atomic<double> done_{0};
  std::future<std::shared_ptr<const RunTimeline>> making_;  // last: it uses the others
};

}  // namespace app
