// The model as a thing that steps: one thread owns the backend; commands reach it through a queue in which a newer
// command of the same kind (seek, speed) replaces an older one; each step publishes an immutable snapshot.
//
// Commands take effect between tokens, in the order in which they were posted. Step, Seek and Run start work that goes
// on while later commands are taken: counts of Step add up; Pause, Seek, Prompt, Forget and whatever changes the branch
// end what is in progress, and Step ends running. Ids outside the vocabulary, positions below 0 and branches that are
// not there are refused: Snapshot::notice says why.
//
// The session steps one branch at a time and keeps the tokens of the others. Whatever replaces or removes tokens,
// branches, names or interventions can be undone.
#pragma once

#include "engine/session/snapshot.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace engine {

namespace command {
struct Step {
  int count = 1;
};
struct Run {};
struct Pause {};
// Tokens consumed afterwards, by restoring where they were stepped before, else by stepping. The tokens stepped back over
// become the first pending ones: stepping forward repeats them.
struct Seek {
  std::int64_t position = 0;
};
// Reset, then consume these when stepped. Also the way out of a failure, where the backend can still be reset.
struct Prompt {
  std::vector<std::int32_t> ids;
};
// Queue more tokens after the pending ones.
struct Append {
  std::vector<std::int32_t> ids;
};
// Forget all pending tokens, so that the next step samples (or draws) anew from here.
struct Forget {};
// A new branch with the first `position` tokens of the current one (-1: those that are consumed), after which these are
// to come; it becomes the current one. An empty name: "branch N". With interventions of its own it takes what lies before
// the first token that they change, and steps to `position` under them; without, it has those of the current branch.
struct Fork {
  std::string name;
  std::int64_t position = -1;
  std::vector<std::int32_t> ids;
  std::optional<std::vector<Intervention>> interventions = {};
};
// A new branch on which another token stands at a position, and all others as they are; steps to where this one was. A
// token that was never stepped is replaced on the current branch.
struct EditToken {
  std::int64_t position = 0;
  std::int32_t id = 0;
};
// These interventions on the current branch, instead of those before. Steps again what they change.
struct Intervene {
  std::vector<Intervention> interventions;
};
struct SwitchTo {
  int branch = 0;
};
struct Rename {
  int branch = 0;
  std::string name;
};
// Not the last one.
struct DeleteBranch {
  int branch = 0;
};
struct Undo {};
struct Redo {};
// The layer whose matrix state is recorded when not all are.
struct Watch {
  int layer = 0;
};
// The state of all heads after the newest token, rows x columns blocks of each, with one of the next snapshots: for who
// shows a model whose records hold one layer only. Once; more than a head has is as many as it has.
struct Tiles {
  int rows = 8, columns = 16;
  bool on_device =
      false;  // a GPU's stay in its memory: for a window that draws there, see engine/backend/state_tiles.h
};
// Tokens per second while running; 0: as fast as it goes.
struct Speed {
  double tokens_per_second = 8;
};
struct HistoryBudget {
  std::uint64_t bytes = 0;
};
// Of the given tokens that are to be consumed in one go, all but the last so many are prefilled where the backend does
// that (BackendInfo::chunked_prefill) and they are 192 or more, in place of stepping each: within prefill's tolerance of
// that, and with records that are filled when somebody seeks to them (TokenRecord::skipped). 0: every token is stepped.
// Tokens under interventions and of models that label positions always are.
struct StepLast {
  int tokens = 64;
};
}  // namespace command

using Command =
    std::variant<command::Step, command::Run, command::Pause, command::Seek, command::Prompt, command::Append,
                 command::Forget, command::Fork, command::EditToken, command::Intervene, command::SwitchTo,
                 command::Rename, command::DeleteBranch, command::Undo, command::Redo, command::Watch, command::Tiles,
                 command::Speed, command::HistoryBudget, command::StepLast, Sampler>;

struct SessionOptions {
  BackendOptions backend;
  std::uint64_t seed = 0;  // of the sampler at first, and of the tokens drawn from the model's task
  // Nothing: 512 MiB; where a complete state is large 80 of them, if that is no more than a quarter of the memory.
  std::optional<std::uint64_t> history_budget_bytes;
  // Matrix states of all layers are recorded with each token when one sequence's state is at most this large.
  std::uint64_t record_state_bytes = std::uint64_t{4} << 20;
  int step_last = 0;                 // as command::StepLast
  Observer* observer = nullptr;      // outlives the session; called on its thread
  std::function<void()> on_publish;  // called on its thread after each new snapshot, e.g. to wake the window
};

// Makes the backend; called once, on the session's thread.
using BackendFactory = std::function<Result<std::unique_ptr<Backend>>()>;

class Session {
 public:
  // Opens the backend on the new thread and publishes the first snapshot. Errors: as make_backend.
  static Result<std::unique_ptr<Session>> open(std::shared_ptr<const Model> model, SessionOptions options);
  // The same on a backend of the caller's making.
  static Result<std::unique_ptr<Session>> open_on(const BackendFactory& make, std::shared_ptr<const Model> model,
                                                  SessionOptions options);
  virtual ~Session() = default;                                  // stops after the step in flight, joins
  virtual void post(Command command) = 0;                        // any thread, never waits for a step
  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;  // the newest; any thread; never null
  // Until every posted command has taken effect and nothing runs; for commands and tests, never for the UI thread.
  virtual void wait_idle() = 0;
};

}  // namespace engine
