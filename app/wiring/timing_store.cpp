#include "app/wiring/timing_store.h"

#include "app/wiring/timed_tokens.h"
#include "profiler/activity/process.h"
#include "profiler/clock/steady.h"
#include "profiler/nvtx/ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>

namespace app {

namespace {

using profiler::steady_now_ns;
using profiler::TimeSource;

// How far two reads of the clock lie apart at best: no stage time is better than that.
std::int64_t clock_granularity_ns() {
  std::int64_t best = INT64_MAX;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t before = steady_now_ns();
    const std::int64_t between = steady_now_ns() - before;
    if (between > 0) best = std::min(best, between);
  }
  return best == INT64_MAX ? 1 : best;
}

// Stages of the CPU, by the steady clock.
class ClockTimings : public TimingStore {
 public:
  ClockTimings(std::uint16_t source, std::size_t tokens)
      : source_(source), tokens_(tokens), granularity_ns_(clock_granularity_ns()) {}

  void step_begin(std::int64_t token) override {
    position_ = static_cast<std::uint32_t>(token);
    stages_.clear();
    step_ = tokens_.begin(token, TimeSource::cpu_clock, steady_now_ns());
  }
  void before(const engine::Stage&) override { stage_start_ns_ = steady_now_ns(); }
  void after(const engine::Stage& stage) override {
    const std::int64_t end_ns = steady_now_ns();
    profiler::StageTime time;
    time.tag = {source_, position_, static_cast<std::uint16_t>(stage.id)};
    time.start_ns = stage_start_ns_;
    time.duration_ns = end_ns - stage_start_ns_;
    stages_.push_back(time);
  }
  void step_end(std::int64_t) override {
    const std::int64_t end_ns = steady_now_ns();
    records_ += stages_.size();
    tokens_.finish(step_, end_ns, stages_, -1);
  }

  std::vector<std::shared_ptr<const profiler::TokenTimes>> newest(std::size_t count) const override {
    return tokens_.newest(count);
  }
  void flush() override {}
  profiler::ProfilerStatus status() const override {
    profiler::ProfilerStatus status;
    status.source = TimeSource::cpu_clock;
    status.reason = "The model runs on the CPU: its stages are timed with the steady clock.";
    status.remedy = "Kernel times need the CUDA backend.";
    status.records = records_;
    status.clock_uncertainty_ns = granularity_ns_;
    return status;
  }
  std::string kernel_name(std::uint32_t) const override { return {}; }

 private:
  std::uint16_t source_;
  TimedTokens tokens_;
  std::int64_t granularity_ns_;
  std::atomic<std::uint64_t> records_{0};
  // The stepping thread's own.
  std::uint32_t step_ = 0, position_ = 0;
  std::int64_t stage_start_ns_ = 0;
  std::vector<profiler::StageTime> stages_;
};

// For another profiler: the token, its layers, their stages, as nested ranges. The stepping thread's own.
class Ranges {
 public:
  void step_begin(std::int64_t token) {
    layer_ = outside;
    profiler::push_range(fmt::format("token {}", token).c_str());
  }
  void before(const engine::Stage& stage) {
    if (stage.layer != layer_) {
      leave_layer();
      if (stage.layer >= 0) profiler::push_range(fmt::format("layer {}", stage.layer).c_str());
      layer_ = stage.layer;
    }
    profiler::push_range(engine::name_of(stage.kind));
  }
  void after() { profiler::pop_range(); }
  void step_end() {
    leave_layer();
    profiler::pop_range();
  }

 private:
  static constexpr int outside = -1;
  void leave_layer() {
    if (layer_ >= 0) profiler::pop_range();
    layer_ = outside;
  }
  int layer_ = outside;
};

// Stages of a GPU, by CUPTI's activity records where there are any; else wall times only, and ranges for whoever has
// CUPTI.
class DeviceTimings : public TimingStore, private profiler::TimesListener {
 public:
  DeviceTimings(std::uint16_t source, profiler::ActivitySession* session, profiler::Unavailable why, std::size_t tokens)
      : source_(source), session_(session), why_(std::move(why)), tokens_(tokens) {
    if (session_ != nullptr) session_->listen(source_, this);
  }
  ~DeviceTimings() override {
    if (session_ != nullptr) session_->forget(source_);
  }
  DeviceTimings(const DeviceTimings&) = delete;
  DeviceTimings& operator=(const DeviceTimings&) = delete;

  void step_begin(std::int64_t token) override {
    pauses_.step_begins();
    last_stage_ = -1;
    step_ = tokens_.begin(token, session_ != nullptr ? TimeSource::cupti : TimeSource::none, steady_now_ns());
    if (session_ != nullptr) {
      session_->begin_work({source_, step_, profiler::between_stages});
    } else {
      ranges_.step_begin(token);
    }
  }
  void before(const engine::Stage& stage) override {
    if (session_ != nullptr) {
      session_->begin_work({source_, step_, static_cast<std::uint16_t>(stage.id)});
    } else {
      ranges_.before(stage);
    }
  }
  void after(const engine::Stage& stage) override {
    if (session_ != nullptr) {
      session_->end_work();
      last_stage_ = stage.id;
    } else {
      ranges_.after();
    }
  }
  void recorded(std::span<const engine::GraphNode> nodes, std::uint64_t recording) override {
    if (session_ == nullptr) return;
    if (recording != recording_) {
      recording_ = recording;
      std::vector<profiler::NodeStage> known;
      for (const engine::GraphNode& node : nodes) known.push_back({node.node, static_cast<std::uint16_t>(node.stage)});
      const bool told = !nodes.empty() && session_->know_graph(known);
      last_recorded_stage_ = told ? nodes.back().stage : int{profiler::unknown_stage};
    }
    last_stage_ = last_recorded_stage_;
  }
  void step_queued() override {
    if (session_ != nullptr) {
      session_->end_work();
    } else {
      ranges_.step_end();
    }
    queued_.push_back({step_, last_stage_});
  }
  void step_end(std::int64_t) override {
    const std::int64_t end_ns = steady_now_ns();
    pauses_.step_ended();
    if (queued_.empty()) return;
    tokens_.finish(queued_.front().step, end_ns, {}, queued_.front().last_stage);
    queued_.pop_front();
    if (session_ != nullptr) session_->work_finished();
  }

  std::vector<std::shared_ptr<const profiler::TokenTimes>> newest(std::size_t count) const override {
    return tokens_.newest(count);
  }
  void flush() override {
    if (session_ != nullptr) session_->flush();
  }
  profiler::ProfilerStatus status() const override {
    profiler::ProfilerStatus status;
    if (session_ != nullptr) {
      status = session_->status();
    } else {
      status.reason = why_.reason;
      status.remedy = why_.remedy;
    }
    status.unattributed = unattributed_;
    return status;
  }
  std::string kernel_name(std::uint32_t name) const override {
    return session_ != nullptr ? session_->name(name) : std::string();
  }
  const StepPauses* pauses() const override { return &pauses_; }

 private:
  void tagged(std::span<const profiler::StageTime> times) override {
    unattributed_ += static_cast<std::uint64_t>(std::count_if(
        times.begin(), times.end(), [](const auto& time) { return time.tag.stage == profiler::unknown_stage; }));
    tokens_.add(times);
  }
  void untagged(std::span<const profiler::StageTime> times) override { unattributed_ += tokens_.inside(times); }

  std::uint16_t source_;
  profiler::ActivitySession* session_;
  profiler::Unavailable why_;
  TimedTokens tokens_;
  StepPauses pauses_;
  std::atomic<std::uint64_t> unattributed_{0};
  // The stepping thread's own.
  struct Queued {
    std::uint32_t step = 0;
    int last_stage = -1;
  };
  std::deque<Queued> queued_;  // steps that have not ended
  std::uint32_t step_ = 0;
  int last_stage_ = -1;
  std::uint64_t recording_ = 0;  // of the graph whose nodes the profiler knows; the first is 1
  int last_recorded_stage_ = -1;
  Ranges ranges_;
};

}  // namespace

std::unique_ptr<TimingStore> TimingStore::make(std::uint16_t source, bool gpu, std::size_t tokens) {
  if (!gpu) return std::make_unique<ClockTimings>(source, tokens);
  const profiler::ProcessActivity& activity = profiler::start_process_activity();
  return make(source, activity.session, activity.why, tokens);
}

std::unique_ptr<TimingStore> TimingStore::make(std::uint16_t source, profiler::ActivitySession* session,
                                               const profiler::Unavailable& why, std::size_t tokens) {
  return std::make_unique<DeviceTimings>(source, session, why, tokens);
}

}  // namespace app
