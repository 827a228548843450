// The model as a thing that steps: one thread owns the backend; commands reach it through a queue in which a newer
// command of the same kind (seek, speed) replaces an older one; each step publishes an immutable snapshot.
#pragma once

#include "engine/session/snapshot.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace engine {

namespace command {
struct Step {
  int count = 1;
};
struct Run {};
struct Pause {};
struct Seek {
  std::int64_t position = 0;
};  // tokens consumed afterwards; back by restoring, forward by stepping
struct Prompt {
  std::vector<std::int32_t> ids;
};  // reset, then consume these when stepped
struct Append {
  std::vector<std::int32_t> ids;
};  // queue more tokens after the pending ones
struct Watch {
  int layer = 0;
};  // the layer whose matrix state is recorded when not all are
struct Speed {
  double tokens_per_second = 8;
};
}  // namespace command

using Command = std::variant<command::Step, command::Run, command::Pause, command::Seek, command::Prompt,
                             command::Append, command::Watch, command::Speed, Sampler>;

struct SessionOptions {
  BackendOptions backend;
  std::uint64_t seed = 0;
  std::uint64_t history_budget_bytes = std::uint64_t{512} << 20;
  // Matrix states of all layers are recorded with each token when one sequence's state is at most this large.
  std::uint64_t record_state_bytes = std::uint64_t{4} << 20;
  Observer* observer = nullptr;      // outlives the session; called on its thread
  std::function<void()> on_publish;  // called on its thread after each new snapshot, e.g. to wake the window
};

class Session {
 public:
  // Opens the backend on the new thread and publishes the first snapshot. Errors: as make_backend.
  static Result<std::unique_ptr<Session>> open(std::shared_ptr<const Model> model, SessionOptions options);
  virtual ~Session() = default;                                  // stops after the step in flight, joins
  virtual void post(Command command) = 0;                        // any thread, never waits for a step
  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;  // the newest; any thread; never null
  virtual void
  wait_idle() = 0;  // until the queue is empty and nothing runs; for commands and tests, never for the UI thread
};

}  // namespace engine
