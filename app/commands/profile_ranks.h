// `mambascope profile --ranks`: one preset's shape at several ranks and nothing else changed, each verified and timed; what
// its stages take against the rank, beside the arithmetic that they do for a byte.
#pragma once

#include "app/commands/profile_run.h"

#include <nlohmann/json_fwd.hpp>

#include <iosfwd>
#include <string>
#include <vector>

namespace app {

struct RankRun {
  int rank = 1;  // 1 is SISO
  engine::ModelConfig config;
  std::int64_t parameters = 0;
  ProfileResult result;
  std::string twin;  // the backend that it was verified against
  double worst = 0;  // largest relative difference from it
  double rtol = 0;   // that is allowed
  bool verified() const { return worst <= rtol; }
};

// The state's arithmetic per byte in one layer of one sequence, as the paper counts it (Table 2: values of two bytes, the
// state counted once, without the previous token's term): (4NPR + NP - PR) / (2 (1 + 2NR + PR + NP)), SISO 5NP - P above.
double paper_intensity(const engine::ModelConfig& config);
// The same of the stages that hold the recurrence (state_update and readout, or mixer), by the plan: all that is executed,
// over what is read and written.
double executed_intensity(const engine::StepPlan& plan);

// Builds, verifies and profiles the family. Input error: a rank that the engine does not support, no preset.
engine::Result<std::vector<RankRun>> run_ranks(const ProfileOptions& options, const std::vector<int>& ranks);

// What is not equal between the ranks, so that nobody reads more out of the times than is in them.
std::vector<std::string> confounds(const std::vector<RankRun>& runs);

nlohmann::ordered_json ranks_json(const std::vector<RankRun>& runs, const std::string& preset);
std::string ranks_text(const std::vector<RankRun>& runs, const std::string& preset);
// One line for each rank and kind of stage.
void write_ranks_csv(std::ostream& out, const std::vector<RankRun>& runs);

}  // namespace app
