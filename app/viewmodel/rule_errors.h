// What the three rules cost on the model's own input: relative local errors and coefficients over tokens, and their
// spread over heads. The errors are under the linear interpolant of B_t x_t between tokens, in the named frame; they
// come from the token records. Pure, no ImGui.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/session/snapshot.h"

#include <array>
#include <cstdint>
#include <vector>

namespace app {

enum class Rule : std::uint8_t { euler, trapezoid, model };
inline constexpr std::array<const char*, 3> rule_names{"Euler λ = 1", "trapezoid λ = ½", "model's λ"};

// One head over tokens. A value that is zero, missing or not finite is NaN, so that a logarithmic axis can draw it.
struct ErrorSeries {
  std::vector<double> token;
  std::array<std::vector<double>, 3> error;  // by Rule, relative
  double low = 0, high = 0;                  // of all finite values; 0 where there is none
  bool any = false;
  double fastest_turn = 0;  // largest |dtheta| of the head in the window, radians
};
ErrorSeries make_error_series(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                              int max_tokens);

struct CoefficientSeries {
  std::vector<double> token, lambda, alpha, beta, gamma, dt;
};
CoefficientSeries make_coefficient_series(const engine::Snapshot& snapshot, const Selection& selection,
                                          std::int64_t index, int max_tokens);

// Heads at one token: histogram of log10(error), the same bins for the three rules, and each rule's median.
struct ErrorSpread {
  std::vector<double> centre;                // log10(error) at the middle of each bin
  double width = 0;                          // of a bin, in decades
  std::array<std::vector<double>, 3> count;  // heads per bin
  std::array<double, 3> median{};            // relative error; NaN without values
  int heads = 0;                             // that had a value
};
// Of errors by rule and head; what is not above zero is left out.
ErrorSpread spread_of(std::array<std::vector<double>, 3> errors, int bins);
ErrorSpread make_error_spread(const engine::Snapshot& snapshot, std::int64_t index, Frame frame, int bins = 24);

}  // namespace app
