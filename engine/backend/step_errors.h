// How far the discretisation rules were from the exact step, per layer and head, as host values. What the numbers mean:
// engine/analysis/discretisation.h.
#pragma once

#include <vector>

namespace engine {

// Relative local error of a rule under the linear interpolant of the model's own input; NaN where the exact term is
// zero.
struct RuleErrors {
  float euler = 0, trapezoid = 0, model = 0;
};

// Of one step of one sequence, in both frames.
struct StepErrors {
  std::vector<RuleErrors> stored, unrotated;  // (L, H)
};

}  // namespace engine
