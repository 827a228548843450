// What a session does, without its thread: takes commands, and does one step of work at a time, on a backend, towards
// what the commands asked for. Whoever owns it calls from one thread and decides when.
#pragma once

#include "engine/session/history.h"
#include "engine/session/pacer.h"
#include "engine/session/recorder.h"
#include "engine/session/session.h"
#include "engine/session/task_source.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace engine {

class Stepper {
 public:
  using Clock = Pacer::Clock;

  // The backend outlives the stepper and has consumed nothing.
  Stepper(Backend& backend, std::shared_ptr<const Model> model, const SessionOptions& options);

  // Changes what is wanted; steps nothing itself.
  void apply(const Command& command);
  // Whether there is something to do, now or when it is due.
  bool has_work() const;
  // When the next step may be done; nothing: at once. Only a paced run waits.
  std::optional<Clock::time_point> due() const;
  // One step forward, or one on the way back to a position. A failure of the backend ends all work and is published.
  void work();
  // The session is over for a reason outside a step.
  void fail(const Error& error);
  // Everything but the version.
  void fill(Snapshot& snapshot) const;

 private:
  struct PendingToken {
    std::int32_t id = 0;
    TokenOrigin origin = TokenOrigin::given;
  };

  void take(const command::Step& step);
  void take(const command::Run& run);
  void take(const command::Pause& pause);
  void take(const command::Seek& seek);
  void take(const command::Prompt& prompt);
  void take(const command::Append& append);
  void take(const command::Branch& branch);
  void take(const command::Watch& watch);
  void take(const command::Speed& speed);
  void take(const Sampler& sampler);

  bool valid(const std::vector<std::int32_t>& ids, const char* what);
  void stop();
  bool behind() const { return backend_.position() < history_.size(); }
  Result<void> start_over_or_restore();
  Result<void> catch_up();
  Result<void> step_forward();
  Result<void> copy_watched_layer();
  PendingToken next_token() const;
  const SequenceState* newest_state() const;

  Backend& backend_;
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const StepPlan> plan_;
  SessionOptions options_;
  TaskSource task_;
  Recorder recorder_;
  History history_;
  Pacer pacer_;
  std::deque<PendingToken> pending_;
  Sampler sampler_;
  double speed_ = 8;
  std::int64_t furthest_ = 0;
  std::int64_t goal_ = 0;       // step until this many tokens are consumed
  bool running_ = false;        // step without an end
  bool stale_ = false;          // the backend is not on the way to history_.size(): restore or reset it first
  bool watch_changed_ = false;  // the newest record lacks the watched layer's state
  double step_ms_ = 0;
  std::string error_, notice_;  // error_: failed, until a prompt starts over
};

}  // namespace engine
