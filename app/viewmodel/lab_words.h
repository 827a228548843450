// What the discretisation laboratory says about a problem, in the window and on the command line alike. Pure.
#pragma once

#include "engine/analysis/slope_fit.h"
#include "engine/analysis/test_signal.h"
#include "engine/analysis/two_point_rules.h"

#include <string>

namespace app {

// "sin(2 t)", with the numbers of the problem.
std::string formula_of(const engine::SignalProblem& problem);
// What the errors are against, and what keeps them from their orders: one or two sentences.
std::string note_of(const engine::SignalProblem& problem);
// Short enough for a column or a legend: "exp. Euler", "ZOH".
const char* short_name(engine::RuleKind kind);
// "1.996 ± 0.002", "exact to rounding", "not fitted".
std::string slope_text(const engine::SlopeFit& fit, bool exact);

}  // namespace app
