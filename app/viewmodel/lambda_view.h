// Where the learned lambda lies between 0 and 1 and what moving it would cost, and the width-2 convolution that a step's
// weights are: u_t = gamma_t B_t x_t + beta_t B_(t-1) x_(t-1). Pure, no ImGui.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/analysis/lambda_cost.h"
#include "engine/session/snapshot.h"

#include <array>
#include <cstdint>
#include <vector>

namespace app {

// Lambdas of all heads and layers in bins over [0, 1], as shares of what was counted.
struct LambdaSpread {
  static constexpr int bins = 25;
  std::vector<double> centre, now, over_tokens;  // (bins); at the shown token, and over the window's
  int heads = 0;
  std::int64_t tokens = 0;                // of the window that still have coefficients
  double below_half = 0, above_half = 0;  // shares of the heads at the shown token on either side of 1/2
  double own = 0;                         // the selected head's; NaN where it is not known
  bool known() const { return heads > 0; }
};
LambdaSpread make_lambda_spread(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                                int max_tokens);

// The relative local error of the selected head's step as a function of lambda.
struct LambdaCostCurve {
  engine::LambdaCost cost;
  std::vector<double> lambda, error;  // over [0, 1]; empty where the records were dropped
  double own = 0, best = 0;           // the model's lambda, and that of the smallest error, cut to [0, 1]
  bool best_is_outside = false;       // of [0, 1]
  bool known() const { return !lambda.empty(); }
};
LambdaCostCurve make_cost_curve(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index);
// The same points for another cost, e.g. of an accumulated error.
std::vector<double> errors_along(const engine::LambdaCost& cost, const std::vector<double>& lambda);

// The share of the last input in each step's weights, beta / (beta + gamma), of all heads of a layer over tokens.
struct ConvolutionShares {
  int heads = 0, tokens = 0;
  std::int64_t first_token = 0;
  std::vector<double> beta, gamma, share;  // (heads, tokens), NaN where missing
};
ConvolutionShares make_convolution_shares(const engine::Snapshot& snapshot, const Selection& selection,
                                          std::int64_t index, int max_tokens);

}  // namespace app
