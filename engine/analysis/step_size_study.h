// Errors of the rules against step size on a test problem, their fitted slopes, and the leading terms of the expansion
// beside them. Pure, double.
//
// The local error is |one step of the rule from the truth - the truth|; the global error |the rule's state - the truth|
// after any number of steps; of both the largest over the duration. The error e itself is stepped,
//   e_t = alpha e_(t-1) + local_t,
// so that small errors are not differences of large states. Slopes on a smooth signal with constant A: as the table of
// rules says (two_point_rules.h), in the limit of small steps.
#pragma once

#include "engine/analysis/slope_fit.h"
#include "engine/analysis/test_signal.h"
#include "engine/analysis/two_point_rules.h"

#include <cstddef>
#include <span>
#include <vector>

namespace engine {

// One kind of error of one rule, for each step size.
struct ErrorCurve {
  std::vector<double> error;    // largest; not finite where the rule explodes
  std::vector<double> floor;    // what rounding alone may make of it: an error below means exact to rounding
  std::vector<double> leading;  // the same from the leading terms alone; NaN where the expansion is not known
  SlopeFit fit;

  bool exact_to_rounding(std::size_t i) const { return error[i] <= floor[i]; }
  bool all_exact() const;  // of one size or more
};
struct RuleStudy {
  RuleKind kind;
  ErrorCurve local, global;
  Orders orders;  // that theory names for this lambda and this A, for a smooth signal
};
struct StepSizeStudy {
  std::vector<double> dt;  // as used: duration / steps
  std::vector<long long> steps;
  std::vector<RuleStudy> rules;  // as asked for
};

struct StudyOptions {
  double lambda = 0.5;                       // of the generalised trapezoid
  double fit_first = 1e-3, fit_last = 1e-1;  // range of the slopes
};

// Step sizes that are not positive are left out.
StepSizeStudy make_step_size_study(const SignalProblem& problem, std::span<const RuleKind> rules,
                                   std::span<const double> steps, const StudyOptions& options);

// `count` sizes from `first` to `last`, evenly spaced in their logarithm; both > 0.
std::vector<double> step_sizes(double first, double last, int count);
// How many steps a study of these sizes takes, all together.
double total_steps(const SignalProblem& problem, std::span<const double> steps);

}  // namespace engine
