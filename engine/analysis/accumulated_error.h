// The errors of the rules carried through the recurrence: how far the state that a rule makes of the model's own input is
// from the exact state under the linear interpolant of that input, after any number of tokens. Pure, in double.
//
// Per head, with A, dt and the turn of each step held over it,
//   H_t = e^(mu dt) H_(t-1) + E_t,   e_t = e^(mu dt) e_(t-1) + (the rule's input term - E_t),
// E the exact input term (discretisation.h). The error itself is stepped, so that small errors are not differences of
// large states. All rules read the same input, the one that the model saw: what another rule would have made of the
// model's later inputs is an effect and no part of this.
//
// In coordinates that turn with the stored keys, both frames decay by the real number alpha, and the un-rotated frame's
// weight of the last input carries e^(i dtheta); norms are the same.
#pragma once

#include "engine/analysis/head_input.h"
#include "engine/analysis/lambda_cost.h"

#include <array>
#include <vector>

namespace engine {

// After a token: errors relative to the exact state, in Frobenius norms over the head.
struct AccumulatedError {
  LambdaCost fixed;  // of one lambda kept over all tokens: at(1) is Euler, at(1/2) the trapezoid
  double model = std::numeric_limits<double>::quiet_NaN();  // of the model's own lambdas
};

class ErrorAccumulator {
 public:
  ErrorAccumulator(const ModelConfig& config, int head, StateFrame frame);

  // Nothing was read: the exact state and all errors are zero.
  void clear();
  // The exact state is what the layer's matrix state holds, where it is held; errors are zero.
  void start_at(const LayerState& layer);
  // One token; arguments as in head_errors (discretisation.h).
  void step(const LayerWeights& weights, const StepCoefficients& coefficients, int layer, const LayerState* previous,
            const LayerState& now);

  AccumulatedError errors() const;

  // (P, N), row-major, in the order of re then im of the N / 2 pairs: for tests.
  const std::vector<double>& exact() const { return states_[0]; }
  const std::vector<double>& model_error() const { return states_[3]; }

  // Bytes that one head of this model takes.
  static std::size_t bytes(const ModelConfig& config);

 private:
  enum Kind : std::size_t { exact_state, half, per_lambda, model };

  void weigh_keys(const StepCoefficients& coefficients, int layer, bool has_previous);
  void advance(double alpha, bool has_previous);

  const ModelConfig* config_;
  int head_;
  StateFrame frame_;
  std::size_t rows_, width_;                   // P, N
  std::array<std::vector<double>, 4> states_;  // by Kind, (P, N)
  HeadInput before_, after_;
  std::array<std::vector<double>, 4> key_before_, key_after_;  // weighted, by Kind, (R, N)
};

}  // namespace engine
