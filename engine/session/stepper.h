// What a session does, without its thread: takes commands, and does one step of work at a time, on a backend, towards
// what the commands asked for. Whoever owns it calls from one thread and decides when.
#pragma once

#include "engine/session/branches.h"
#include "engine/session/history.h"
#include "engine/session/pacer.h"
#include "engine/session/recorder.h"
#include "engine/session/session.h"
#include "engine/session/task_source.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
  // Whether tokens are stepped again after an edit: what they were is still shown somewhere, and soon there again.
  bool replaying() const { return position() < replay_to_; }
  // Everything but the version.
  void fill(Snapshot& snapshot) const;

 private:
  void take(const command::Step& step);
  void take(const command::Run& run);
  void take(const command::Pause& pause);
  void take(const command::Seek& seek);
  void take(const command::Prompt& prompt);
  void take(const command::Append& append);
  void take(const command::Forget& forget);
  void take(const command::Fork& fork);
  void take(const command::EditToken& edit);
  void take(const command::Intervene& intervene);
  void take(const command::SwitchTo& to);
  void take(const command::Rename& rename);
  void take(const command::DeleteBranch& remove);
  void take(const command::Undo& undo);
  void take(const command::Redo& redo);
  void take(const command::Watch& watch);
  void take(const command::Tiles& tiles);
  void take(const command::Speed& speed);
  void take(const command::HistoryBudget& budget);
  void take(const command::StepLast& last);
  void take(const Sampler& sampler);

  bool valid(const std::vector<std::int32_t>& ids, const char* what);
  bool room_for_branch(const char* what);
  // Whether the model can be changed so; else says why not.
  bool possible(const std::vector<Intervention>& interventions);
  void stop();
  // The backend is to come to where the current branch stands, which it may never have been; then tokens up to `goal`
  // are stepped.
  void arrive(std::int64_t goal);
  // To another position of the current branch's track.
  void go_to(std::int64_t position);
  // Tells what was dropped, and drops edits when nothing else is left.
  void keep_to_budget();

  BranchContent& now() { return branches_.current().content; }
  const BranchContent& now() const { return branches_.current().content; }
  std::int64_t position() const { return now().position; }
  bool behind() const { return backend_.position() < position(); }
  Result<void> start_over_or_restore();
  Result<void> catch_up();
  Result<void> step_forward();
  // How many of the tokens to come are to be consumed at once, with a step for the last of them; 0: step one.
  std::int64_t to_prefill() const;
  Result<void> prefill_forward(std::int64_t count);
  // The tokens from the backend's position on that were prefilled together, as far as they lie before the last one that
  // is to be caught up; 0: step one.
  std::int64_t prefilled_together() const;
  Result<void> catch_up_at_once(std::int64_t count);
  Result<void> copy_watched_layer();
  // What the step of the next token is changed by.
  Result<void> intervene();
  Result<void> queue_tiles();
  Result<void> take_tiles();
  // Whether another step follows without a pause.
  bool goes_on() const { return steps() && (!running_ || replaying() || !pacer_.due()); }
  // Whether there is something to do that changes tokens or what is recorded of them.
  bool steps() const;
  PendingToken next_token();
  const SequenceState* newest_state() const;

  Backend& backend_;
  std::shared_ptr<const Model> model_;
  std::shared_ptr<const StepPlan> plan_;
  SessionOptions options_;
  TaskSource task_;
  Recorder recorder_;
  History history_;
  Branches branches_;
  Pacer pacer_;
  Sampler sampler_;
  double speed_ = 8;
  int step_last_ = 0;
  std::int64_t goal_ = 0;        // step until this many tokens are consumed
  std::int64_t replay_to_ = 0;   // as far as that by itself, at once and unobserved
  bool running_ = false;         // step without an end
  bool stale_ = false;           // the backend is not on the way to position(): restore or reset it first
  bool inside_prefill_ = false;  // the backend stands between tokens that were prefilled together
  std::shared_ptr<const SequenceState> before_step_;  // the caches after a token without a record of them
  bool watch_changed_ = false;                        // the newest record lacks the watched layer's state
  std::vector<Intervention> active_;                  // what the backend's steps are changed by
  std::optional<command::Tiles> tiles_asked_;
  std::unique_ptr<ComingTiles> tiles_coming_;
  std::shared_ptr<const StateTiles> tiles_;
  double step_ms_ = 0;
  // Dropped under a smaller budget, or told already: what is beyond is news.
  std::int64_t states_known_ = 0, details_known_ = 0;
  bool states_told_ = false, details_told_ = false;
  std::optional<Error> error_;  // failed, until a prompt starts over
  std::string notice_;
};

}  // namespace engine
