// Whether the errors that a backend's steps measure (BackendOptions::errors) are those of the double-precision analysis
// (engine/analysis/discretisation.h) of the very keys, values and coefficients that the steps left.
#pragma once

#include "engine/backend/backend.h"

#include <cstddef>
#include <string>

namespace engine {

struct ErrorsReport {
  int tokens = 0;
  std::size_t values = 0;  // that were compared
  // Largest difference, relative to the analysis's value (to `least` where that is smaller); infinite where only one of both
  // is a number.
  double worst = 0;
  std::string where;  // "the trapezoid's error in the un-rotated frame, layer 3, head 5, token 2"

  bool pass(double rtol) const { return worst <= rtol; }
};

// Errors are relative to the exact term; below that they are made of the roundings of fp32 keys and mean nothing.
inline constexpr double least_error = 1e-6;

void compare_errors(const StepErrors& found, const StepErrors& expected, int heads, int token, ErrorsReport& report);

// Resets the backend and steps `tokens` tokens; compares the first and the last sequence of its batch. Errors: those of the
// backend. The weights are the backend's; no matrix of theirs is read.
Result<ErrorsReport> verify_errors(Backend& measured, const Weights& weights, int tokens);

}  // namespace engine
