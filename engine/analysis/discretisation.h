// What the discretisation of each step costs, under a declared input: the linear interpolant of the model's own input
// between two tokens. Pure functions in double, through Gram matrices, so that no P x N matrix is formed.
//
// The three rules differ in lambda: Euler 1, trapezoid 1/2, the model its own. With E the exact input term
// (phi_functions.h), the relative local error of a rule is |rule's input term - E| / |E|, Frobenius norms over one head.
//   stored frame:      mu = A,            u = sum_r v_r (x) rotated key
//   un-rotated frame:  mu = A - i omega,  u = sum_r v_r (x) biased key,  omega = pi tanh(angle) of each pair
// with v_r = mimo_x[r] * x (SISO: x) and u_(-1) = 0. This is an error of the rule, not an effect on the model's output.
#pragma once

#include "engine/analysis/rotation.h"
#include "engine/backend/state.h"
#include "engine/backend/step_errors.h"
#include "engine/model/config.h"
#include "engine/model/weights.h"

namespace engine {

// h_t = alpha h_(t-1) + beta u_(t-1) + gamma u_t.
struct RuleCoefficients {
  double alpha = 0, beta = 0, gamma = 0;
};
// alpha = e^(A dt), beta = (1 - lambda) dt alpha, gamma = lambda dt (Mamba-3 paper, exponential-trapezoidal rule).
RuleCoefficients rule_coefficients(double a, double dt, double lambda);

// The errors of one step in both frames.
struct HeadErrors {
  RuleErrors stored, unrotated;
};

// One head's errors after a step. `now` and `previous` are the layer's caches after this and the token before; null or
// empty for the first token. weights.mimo_x is read where the model is MIMO.
HeadErrors head_errors(const ModelConfig& config, const LayerWeights& weights, const StepCoefficients& coefficients,
                       int layer, int head, const LayerState* previous, const LayerState& now);

// All heads of all layers. The states need their caches only.
StepErrors step_errors(const Weights& weights, const StepCoefficients& coefficients, const SequenceState* previous,
                       const SequenceState& now);

}  // namespace engine
