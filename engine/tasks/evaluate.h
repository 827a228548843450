// How often a model labels the positions of a task's sequences right, measured by stepping a backend.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/model.h"
#include "engine/tasks/task.h"

#include <cstdint>
#include <functional>

namespace engine {

struct EvaluateOptions {
  int length = 256;
  int sequences = 1000;
  std::uint64_t seed = 0;
};

struct Evaluation {
  std::int64_t labelled = 0;  // positions that were asked
  std::int64_t right = 0;
  int classes = 0;

  double accuracy() const { return labelled == 0 ? 0 : static_cast<double>(right) / static_cast<double>(labelled); }
  // 0 at chance, 1 when all is right: (accuracy - 1/K) / (1 - 1/K).
  double scaled_accuracy() const { return (accuracy() - 1.0 / classes) / (1 - 1.0 / classes); }
};

// The task that a model's card names, or the one asked for. Error (input): neither, or one that does not fit the model's
// vocabulary or card.
Result<const Task*> task_of(const Model& model, const std::string& asked);

// Steps the sequences 0.. of the seed through the backend, as many at a time as its batch. The prediction is the argmax
// over the task's classes; a class whose logit is NaN is never right. `progress` (may be empty) is called after every
// step with the share that is done. Errors: as the backend's.
Result<Evaluation> evaluate(Backend& backend, const ModelConfig& config, const Task& task,
                            const EvaluateOptions& options, const std::function<void(double)>& progress);

}  // namespace engine
