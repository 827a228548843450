// One shape at several ranks and nothing else changed, each verified and timed: `profile --ranks`, the window's rank
// comparison, and their files. Pure.
#pragma once

#include "app/wiring/profile_result.h"
#include "profiler/report/statistics.h"

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

struct RankFamily {
  std::string shape;  // what has these ranks: "siso-187m"
  std::vector<RankRun> runs;
};

// One for all ranks: waiting is left out where the kernels of any of them overlap.
profiler::StageClock clock_for(const std::vector<RankRun>& runs);

// The state's arithmetic per byte in one layer of one sequence, as the paper counts it (Table 2: values of two bytes, the
// state counted once, without the previous token's term): (4NPR + NP - PR) / (2 (1 + 2NR + PR + NP)), SISO 5NP - P above.
double paper_intensity(const engine::ModelConfig& config);

// What a plan's stages that hold the recurrence (state_update and readout, or mixer) execute, read and write in a token.
kernels::Cost recurrence_cost(const engine::StepPlan& plan);
bool of_recurrence(engine::StageKind kind);
// Of those, operations over bytes.
double executed_intensity(const engine::StepPlan& plan);

// What is not equal between the ranks, so that nobody reads more out of the times than is in them.
std::vector<std::string> confounds(const std::vector<RankRun>& runs);

// The bytes of a file that holds the family. Error (input): a rank was not measured, or is more than a file holds.
engine::Result<std::string> family_bytes(const RankFamily& family);
// Any bytes; `where` names them in errors (input), and each profile after it.
engine::Result<RankFamily> read_family(std::span<const std::byte> bytes, const std::string& where);

}  // namespace app
