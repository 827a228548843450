// Hardware counters of every stage of one token: the engine's step, run as often as the profiler needs, each time from the
// same state. The thread that owns the backend; a process without an activity session.
#pragma once

#include "engine/backend/backend.h"
#include "profiler/counters/session.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace app {

struct StageCounters {
  std::string chip, library;
  std::vector<std::string> metrics, missing;  // counted; not known for this chip
  std::size_t passes = 0, dropped = 0;
  double seconds = 0;         // all passes, with saving and restoring between them
  bool same_bits = false;     // every pass left the same logits: it did the same work
  profiler::Unavailable why;  // with a reason: counting ended there, and nothing below is filled
  std::vector<std::vector<double>>
      values;  // (stages)(metrics), by the stage's id; empty for a stage that was not counted
};

// What is counted: bytes of memory and of the L2, how much of each peak, how many warps, how long.
const std::vector<std::string>& counted_metrics();

// Steps `ids` (batch) from where the backend stands, which is where it stands again afterwards. `progress` gets the share
// that is behind. Error: the backend's; the counters' own failures are in StageCounters::why.
engine::Result<StageCounters> count_stages(engine::Backend& backend, std::span<const std::int32_t> ids, int layers,
                                           std::size_t logits, profiler::CounterSession& session,
                                           const std::function<void(double)>& progress);

}  // namespace app
