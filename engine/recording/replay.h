// A recording as a session: the same commands move through its tokens, nothing is stepped, and no weights are needed. A
// thread of its own reads tokens, so that posting never waits for a disk.
#pragma once

#include "engine/recording/recording.h"
#include "engine/session/session.h"

#include <cstdint>
#include <functional>
#include <memory>

namespace engine {

struct ReplayOptions {
  std::uint64_t history_budget_bytes = std::uint64_t{512} << 20;  // as SessionOptions
  std::function<void()> on_publish;
};

// Opens behind the last token. Step, Run, Pause, Seek and Speed move; every other command changes nothing, and
// Snapshot::notice says why. Tokens ahead are pending ones.
std::unique_ptr<Session> open_replay(std::shared_ptr<const Recording> recording, ReplayOptions options);

}  // namespace engine
