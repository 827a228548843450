// What a rule's weight costs: the relative error of a step, or one carried over many steps, as a function of lambda.
// With the trapezoid's error e and its change g per unit of lambda, the error at lambda is e + (lambda - 1/2) g, so that
// its square is a parabola. Pure functions in double.
#pragma once

#include "engine/analysis/rotation.h"
#include "engine/model/weights.h"

#include <limits>

namespace engine {

struct LambdaCost {
  // |e|^2, Re <e, g>, |g|^2, all over |E|^2, E what the errors are relative to; NaN where that is zero.
  double half = std::numeric_limits<double>::quiet_NaN(), cross = 0, slope = 0;

  // The relative error at a lambda; NaN where it is not known.
  double at(double lambda) const;
  // The lambda of the smallest error, which may lie outside of [0, 1]; NaN where no lambda changes anything.
  double best() const;
};

// Of one head's input term in a step, under the linear interpolant of the model's own input (discretisation.h), in either
// frame. `previous`: the layer's caches after the token before; null or empty for the first token.
LambdaCost lambda_cost(const ModelConfig& config, const LayerWeights& weights, const StepCoefficients& coefficients,
                       int layer, int head, StateFrame frame, const LayerState* previous, const LayerState& now);

}  // namespace engine
