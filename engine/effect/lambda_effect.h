// What running the model itself with another lambda does to it: the same tokens as several sequences of one batch, the
// first as the model is, each other one with lambda fixed in every layer and head (1 is Euler, 1/2 the classical
// trapezoid). Interventions may be in force in all of them: then that is what the model is. An effect on the model's state and output, not an error: nothing here is the truth. Steps a backend; one
// thread, the caller's.
#pragma once

#include "engine/effect/side_by_side.h"
#include "engine/tasks/evaluate.h"

#include <functional>
#include <span>
#include <vector>

namespace engine {

// Steps `ids` through a backend whose batch is 1 + lambdas.size(), from reset; `best` ids of each sequence are kept a
// token. Lambdas in [0, 1]. The backend's sequences have their own lambda again afterwards. A run that was ended has
// fewer tokens. Errors: input where an id is outside the vocabulary, the batch does not fit or logits are not finite; else
// as the backend's.
Result<std::vector<EffectToken>> lambda_effect(Backend& backend, const Model& model, std::span<const std::int32_t> ids,
                                               std::span<const double> lambdas, int best,
                                               const EffectProgress& progress,
                                               const std::vector<Intervention>& base = {});

// Accuracy on a task with every sequence's lambda fixed; -1: as the model is. Arguments and errors as evaluate().
Result<Evaluation> evaluate_with_lambda(Backend& backend, const ModelConfig& config, const Task& task, double lambda,
                                        const EvaluateOptions& options,
                                        const std::function<bool(const EvaluationProgress&)>& progress);

}  // namespace engine
