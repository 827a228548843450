// Measured tokens and the plan they ran, joined into the plain rows that the profiler's exporters write. Any thread.
#pragma once

#include "app/wiring/profile_result.h"
#include "app/wiring/timing_store.h"
#include "engine/backend/backend.h"
#include "profiler/export/rows.h"
#include "profiler/report/statistics.h"

#include <memory>
#include <string>
#include <vector>

namespace app {

// "cupti", "cpu_clock" or "none".
const char* name_of(profiler::TimeSource source);
// "recorded" or "waiting_out".
const char* name_of(profiler::StageClock clock);

profiler::Export profile_rows(const std::string& model, const engine::BackendInfo& backend,
                              const engine::StepPlan& plan, const TimingStore& store,
                              const std::vector<std::shared_ptr<const profiler::TokenTimes>>& tokens);
// Of a whole profile, measured or recorded.
profiler::Export profile_rows(const ProfileResult& profile);

}  // namespace app
