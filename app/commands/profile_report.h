// What `mambascope profile` says: the measured steps against the plan they ran, as text and as one JSON object.
#pragma once

#include "app/wiring/timing_store.h"
#include "engine/backend/backend.h"
#include "profiler/report/statistics.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace app {

// The same steps in a second process without CUPTI: what profiling costs.
struct ProfilingCost {
  double wall_us_with = 0, wall_us_without = 0;  // medians
  std::string problem;                           // why it could not be measured; empty: it was
};

struct ProfileResult {
  std::string model;
  engine::BackendInfo backend;
  engine::StepPlan plan;
  int warmup = 0;
  std::uint64_t seed = 0;
  profiler::ProfilerStatus status;
  std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens;
  std::vector<std::string> kernels;  // by stage: name of its longest piece; empty: none
  std::optional<ProfilingCost> cost;
};

enum class ProfileRows { kinds, layers, stages };

nlohmann::ordered_json profile_json(const ProfileResult& result);
// For a terminal; one row per kind of stage, per layer or per stage.
std::string profile_text(const ProfileResult& result, ProfileRows rows);

}  // namespace app
