// What `mambascope profile` says: the measured steps against the plan they ran, as text and as one JSON object.
#pragma once

#include "app/wiring/profile_groups.h"
#include "app/wiring/profile_result.h"
#include "profiler/report/statistics.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace app {

nlohmann::ordered_json profile_json(const ProfileResult& result);
// For a terminal; one row per kind of stage, per layer or per stage.
std::string profile_text(const ProfileResult& result, ProfileRows rows);

}  // namespace app
