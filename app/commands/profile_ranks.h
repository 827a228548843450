// `mambascope profile --ranks`: one preset's shape at several ranks and nothing else changed, each verified and timed; what
// its stages take against the rank, beside the arithmetic that they do for a byte.
#pragma once

#include "app/commands/profile_run.h"
#include "app/wiring/rank_family.h"

#include <nlohmann/json_fwd.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace app {

// Builds, verifies and profiles the family of the preset's shape, or of the model's, with random weights. Input error: a rank
// that the engine does not support, no such preset or model.
engine::Result<RankFamily> run_ranks(const ProfileOptions& options, const std::vector<int>& ranks);

nlohmann::ordered_json ranks_json(const std::vector<RankRun>& runs, const std::string& preset);
std::string ranks_text(const std::vector<RankRun>& runs, const std::string& preset);
// What `profile` does with a family that was measured or opened: --save, --csv, and what is printed. The exit code: 1 where
// a rank did not agree with its twin.
int keep_and_print(const RankFamily& family, const ProfileFiles& files, bool json);
// One line for each rank and kind of stage.
void write_ranks_csv(std::ostream& out, const std::vector<RankRun>& runs);

}  // namespace app
