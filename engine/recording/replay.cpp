#include "engine/recording/replay.h"

#include "engine/session/command_queue.h"
#include "engine/session/history.h"
#include "engine/session/pacer.h"
#include "engine/session/snapshot_version.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace engine {

namespace {

using Clock = Pacer::Clock;
constexpr std::chrono::microseconds publish_period{8300};  // as a session that steps

class Replay : public Session {
 public:
  Replay(std::shared_ptr<const Recording> recording, ReplayOptions options)
      : recording_(std::move(recording)),
        options_(std::move(options)),
        plan_(std::make_shared<const StepPlan>(recording_->info().plan)),
        history_(options_.history_budget_bytes, 1, recording_->info().config.n_layer),
        goal_(recording_->tokens()) {
    history_.use(track_);
    for (std::int64_t i = 0; i < recording_->tokens(); ++i) ids_.push_back(recording_->id(i));
    publish();
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) turn(stop);
      queue_.close();
    });
  }
  ~Replay() override = default;  // thread_ is the last member

  void post(Command command) override { queue_.post(std::move(command)); }
  std::shared_ptr<const Snapshot> snapshot() const override {
    const std::lock_guard lock(newest_mutex_);
    return newest_;
  }
  void wait_idle() override { queue_.wait_idle(); }

 private:
  void turn(const std::stop_token& stop) {
    for (const Command& command : queue_.take()) {
      notice_.clear();
      std::visit([this](const auto& c) { take(c); }, command);
      changed_ = true;
    }
    const bool moves = running_ || track_->size() < goal_;
    if (!moves) {
      if (changed_) publish();
      queue_.wait(stop);
      return;
    }
    if (changed_ && Clock::now() - published_ >= publish_period) publish();
    if (const auto due = running_ ? pacer_.due() : std::nullopt; due && *due > Clock::now()) {
      if (changed_) publish();
      queue_.wait_until(stop, *due);
      return;
    }
    go_on();
    changed_ = true;
  }

  void go_on() {
    if (track_->size() >= recording_->tokens()) return stop_at_end();
    auto token = recording_->token(track_->size());
    if (auto whole = recording_->check(); !whole) {
      stop();
      notice_ = whole.error().message;
      return;
    }
    history_.put(track_->size(), std::move(token), nullptr);
    if (!running_) return;
    pacer_.stepped(Clock::now());
    if (track_->size() >= recording_->tokens()) stop_at_end();
  }

  void stop_at_end() {
    stop();
    notice_ = fmt::format("The recording ends here, after {} tokens. To go on from there, open the model {} itself.",
                          recording_->tokens(), recording_->info().model);
  }

  void stop() {
    running_ = false;
    goal_ = track_->size();
    pacer_.rest();
  }

  void go_to(std::int64_t position) {
    goal_ = std::clamp<std::int64_t>(position, 0, recording_->tokens());
    if (goal_ >= track_->size()) return;
    track_->truncate(goal_);
    // The one that is shown may have lost its state to the budget.
    if (goal_ > 0) history_.put(goal_ - 1, recording_->token(goal_ - 1), nullptr);
  }

  void take(const command::Step& step) {
    if (running_) stop();
    const std::int64_t wanted = std::max(goal_, track_->size()) + std::max(0, step.count);
    if (wanted > recording_->tokens()) stop_at_end();
    go_to(wanted);
  }
  void take(const command::Run&) {
    if (!running_) pacer_.start(speed_, Clock::now());
    running_ = true;
  }
  void take(const command::Pause&) { stop(); }
  void take(const command::Seek& seek) {
    stop();
    go_to(seek.position);
  }
  void take(const command::Speed& speed) {
    speed_ = std::max(0.0, speed.tokens_per_second);
    if (running_) pacer_.start(speed_, Clock::now());
  }
  // Which layers have their matrix state was decided when it was recorded; the views say where one is missing.
  void take(const command::Watch&) {}
  void take(const command::Tiles&) {}
  template <class Other>
  void take(const Other&) {
    notice_ = fmt::format("This was {} and cannot be changed or go another way. Open the model {} itself for that.",
                          recording_->info().words(), recording_->info().model);
  }

  void publish() {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->version = next_snapshot_version();
    snapshot->model = recording_->model();
    snapshot->backend = recording_->info().backend;
    snapshot->plan = plan_;
    snapshot->mode = running_ || track_->size() < goal_ ? SessionMode::running : SessionMode::idle;
    snapshot->notice = notice_;
    snapshot->tokens = track_->tokens();
    snapshot->pending.assign(ids_.begin() + static_cast<std::ptrdiff_t>(track_->size()), ids_.end());
    snapshot->furthest = recording_->tokens();
    snapshot->interventions = recording_->info().interventions;
    BranchView only;
    only.name = "recording";
    only.tokens = track_->tokens();
    only.position = track_->size();
    only.pending = recording_->tokens() - track_->size();
    only.interventions = snapshot->interventions;
    snapshot->branches.push_back(std::move(only));
    snapshot->speed = speed_;
    snapshot->tokens_per_second = running_ ? pacer_.rate(Clock::now()) : 0;
    snapshot->history_bytes = history_.bytes();
    snapshot->history_budget_bytes = options_.history_budget_bytes;
    if (!recording_->info().ssm_layers.empty()) snapshot->watched_layer = recording_->info().ssm_layers.front();
    std::shared_ptr<const Snapshot> old = std::move(snapshot);
    {
      const std::lock_guard lock(newest_mutex_);
      newest_.swap(old);
    }
    changed_ = false;
    published_ = Clock::now();
    if (options_.on_publish) options_.on_publish();
  }

  std::shared_ptr<const Recording> recording_;
  ReplayOptions options_;
  std::shared_ptr<const StepPlan> plan_;
  std::vector<std::int32_t> ids_;  // of all tokens
  CommandQueue queue_;
  mutable std::mutex newest_mutex_;
  std::shared_ptr<const Snapshot> newest_;
  // Below: the replay's thread only, once it runs.
  History history_;
  std::shared_ptr<Track> track_ = history_.make();
  Pacer pacer_;
  std::int64_t goal_ = 0;  // read on until so many tokens are there
  bool running_ = false, changed_ = false;
  double speed_ = 8;
  std::string notice_;
  Clock::time_point published_{};
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Session> open_replay(std::shared_ptr<const Recording> recording, ReplayOptions options) {
  return std::make_unique<Replay>(std::move(recording), std::move(options));
}

}  // namespace engine
