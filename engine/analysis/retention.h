// How much of what one token wrote into a head's state is left after later ones, from the model's own coefficients. Pure,
// in double.
//
// With the exponential-trapezoidal rule h_s = alpha_s h_(s-1) + beta_s u_(s-1) + gamma_s u_s a token t writes its input
// u_t twice: gamma_t u_t when it comes, and beta_(t+1) u_t with the token after it. Nothing else of the state depends on
// u_t linearly, and a layer's coefficients do not depend on its own state, so what is left at token s is w_t(s) u_t with
//   w_t(t) = gamma_t,  w_t(t+1) = alpha_(t+1) gamma_t + beta_(t+1),  w_t(s) = alpha_s w_t(s-1) from there on.
// In the stored frame it keeps its direction; un-rotated, each pair of it turns by -dtheta at each token.
#pragma once

#include <span>
#include <vector>

namespace engine {

struct HeadStep {
  double alpha = 1, beta = 0, gamma = 0;
};

// w_t(t), w_t(t+1), ...: steps[0] is token t's own. Empty without steps.
std::vector<double> contribution_weights(std::span<const HeadStep> steps);

// Tokens from the largest |weight| until half of it is left, between tokens by the decay of that step; infinite where it
// is not reached, NaN without weights or where one is not finite.
double retention_half_life(std::span<const double> weights);

}  // namespace engine
