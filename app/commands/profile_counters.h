// `mambascope profile --counters`: hardware counters of every stage of one token, beside the bytes of the plan. They are
// counted in a second process, because one that records activity cannot count.
#pragma once

#include "app/commands/profile_run.h"
#include "app/wiring/counters_json.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace app {

// What the second process does (--counters-only): opens the model, steps it through the tokens, counts the next one.
// Counters that are not to be had are no error: StageCounters::why says so.
engine::Result<StageCounters> count_token(const ProfileOptions& options, const engine::Model& model);

// The second process. A failure of it is a StageCounters with the reason.
StageCounters count_in_second_process(const ProfileOptions& options, const ProfileResult& with);

// Per kind of stage; `result` has the plan that was counted.
nlohmann::ordered_json counters_report_json(const StageCounters& counters, const ProfileResult& result);
std::string counters_text(const StageCounters& counters, const ProfileResult& result);

}  // namespace app
