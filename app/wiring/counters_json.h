// Hardware counters between two processes: what the one that counts prints and the one that asked reads.
#pragma once

#include "app/wiring/stage_counters.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace app {

// Counters that are not to be had, and why.
StageCounters no_counters(std::string reason, std::string remedy);

nlohmann::ordered_json counters_json(const StageCounters& counters);
// Any text; one that is no such object is a StageCounters with the reason.
StageCounters counters_from(const std::string& text);

}  // namespace app
