// Stages of a plan that are counted together: by kind, by layer, or each by itself. Pure.
#pragma once

#include "engine/plan/step_plan.h"

#include <string>
#include <vector>

namespace app {

enum class ProfileRows { kinds, layers, stages };

struct StageGroup {
  std::string name;  // "state_update", "layer 3", "outside layers"
  int kind = -1;     // engine::StageKind; -1: stages of several kinds
  int layer = -1;    // -1: before the first, after the last, or of several layers
  int stage = -1;    // -1: not a single stage
  int stages = 0;
  kernels::Cost cost;  // of all of them
};

struct Grouping {
  std::vector<StageGroup> groups;  // in the order of the plan
  std::vector<int> of_stage;       // by stage id
};

Grouping grouping(const engine::StepPlan& plan, ProfileRows rows);

// The name with its place where that is needed to tell groups apart: "norm of layer 3".
std::string full_name(const StageGroup& group);

// What must be known to read the bytes and times of a kind of stage; empty: nothing. One sentence.
const char* note_on(int kind);
// The notes on the kinds that a plan has, each with its name: "mixer: ...".
std::vector<std::string> notes_on(const engine::StepPlan& plan);

}  // namespace app
