#include "app/wiring/run_timeline_job.h"

#include <chrono>
#include <utility>

namespace app {

RunTimelineJob::RunTimelineJob(engine::StepPlan plan, std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens) {
  making_ = std::async(std::launch::async, [this, plan = std::move(plan), tokens = std::move(tokens)] {
    const auto goes_on = [this](double done) {
      done_ = done;
      return !cancelled_;
    };
    return std::shared_ptr<const RunTimeline>(std::make_shared<RunTimeline>(plan, tokens, goes_on));
  });
}

RunTimelineJob::~RunTimelineJob() {
  cancelled_ = true;
  if (making_.valid()) making_.wait();
}

std::shared_ptr<const RunTimeline> RunTimelineJob::take() {
  if (!making_.valid() || making_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return nullptr;
  return making_.get();
}

}  // namespace app
