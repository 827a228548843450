// The ordered list of stages that takes one token of each sequence of a batch through the model.
// Made once for a model and a batch size; every backend executes it, every timing view iterates over it.
#pragma once

#include "engine/model/weights.h"
#include "engine/plan/stage.h"

#include <string>
#include <vector>

namespace engine {

struct StepPlan {
  std::string variant = "staged";
  int batch = 1;
  std::vector<Stage> stages;

  kernels::Cost total() const;
};

// "staged": one kernel per stage. Costs count weights in their stored dtype, activations and state in fp32. `errors`: a
// stage behind the layers measures the errors of the discretisation rules in all of them at once; a kernel for each layer
// would wait longer than it works.
StepPlan make_staged_plan(const Weights& weights, int batch, bool errors = false);

// "fused": norms are part of the projections behind them, and everything between the projections of a mixer is one stage.
// `state_value_bytes` is 4 for a state in fp32, 2 for bf16. `keys_again`: the last keys are made again, not kept.
StepPlan make_fused_plan(const Weights& weights, int batch, int state_value_bytes, bool errors = false,
                         bool keys_again = false);

}  // namespace engine
