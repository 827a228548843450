// What running the model itself with another lambda does to it: the same tokens as several sequences of one batch, the
// first as the model is, each other one with lambda fixed in every layer and head (1 is Euler, 1/2 the classical
// trapezoid). An effect on the model's state and output, not an error: nothing here is the truth. Steps a backend; one
// thread, the caller's.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/model.h"
#include "engine/tasks/evaluate.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace engine {

// One sequence after a token.
struct EffectOnToken {
  std::vector<double> p;       // of EffectToken::ids
  std::int32_t predicted = 0;  // argmax
  double entropy_bits = 0;
  double kl_bits = 0;            // KL(as the model is || this one)
  double next_bits = -1;         // -log2 of what it gave the token that follows in the text; -1: none, or labels
  std::vector<double> distance;  // (L): |z - z of the model as it is| / |the latter|, un-rotated states
};

struct EffectToken {
  std::int32_t id = 0;
  std::vector<std::int32_t> ids;         // the best of every sequence, the likeliest of the model as it is first
  std::vector<EffectOnToken> sequences;  // [0]: the model as it is
};

// Returning false ends the run.
using EffectProgress = std::function<bool(double done)>;

// Steps `ids` through a backend whose batch is 1 + lambdas.size(), from reset; `best` ids of each sequence are kept a
// token. Lambdas in [0, 1]. The backend's sequences have their own lambda again afterwards. A run that was ended has
// fewer tokens. Errors: input where an id is outside the vocabulary, the batch does not fit or logits are not finite; else
// as the backend's.
Result<std::vector<EffectToken>> lambda_effect(Backend& backend, const Model& model, std::span<const std::int32_t> ids,
                                               std::span<const double> lambdas, int best,
                                               const EffectProgress& progress);

// Sums over the tokens of one sequence.
struct EffectSummary {
  double mean_kl_bits = 0, largest_kl_bits = 0;
  std::int64_t tokens = 0, same_prediction = 0;  // argmax as the model's own
  double bits_per_token = -1;                    // of the text; -1 where nothing follows or the model labels
  std::vector<double> mean_distance;             // (L)
};
EffectSummary summarise(std::span<const EffectToken> tokens, std::size_t sequence);

// Accuracy on a task with every sequence's lambda fixed; -1: as the model is. Arguments and errors as evaluate().
Result<Evaluation> evaluate_with_lambda(Backend& backend, const ModelConfig& config, const Task& task, double lambda,
                                        const EvaluateOptions& options,
                                        const std::function<bool(const EvaluationProgress&)>& progress);

}  // namespace engine
