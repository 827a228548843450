// How often a model labels the positions of a task's sequences right, measured by stepping a backend.
#pragma once

#include "engine/backend/backend.h"
#include "engine/intervention/intervention.h"
#include "engine/model/model.h"
#include "engine/tasks/task.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace engine {

struct EvaluateOptions {
  int length = 256;
  int sequences = 1000;
  std::uint64_t seed = 0;
  std::vector<Intervention> interventions = {};  // in force in every sequence, by position
};

// (accuracy - 1/K) / (1 - 1/K): 0 at chance, 1 when all is right. NaN for fewer than two classes.
double scaled_accuracy(double accuracy, int classes);

// Positions of some stretch that were asked, and those answered right.
struct LabelCounts {
  std::int64_t labelled = 0, right = 0;

  // 0 when nothing was asked.
  double accuracy() const { return labelled == 0 ? 0 : static_cast<double>(right) / static_cast<double>(labelled); }
};

struct Evaluation {
  int classes = 0;
  int sequences = 0;                      // those stepped to their end: only they are counted
  std::vector<std::int64_t> labelled_at;  // (length) of the sequences, how many have a label at this position
  std::vector<std::int64_t> right_at;     // (length) and how many of these the model answered right

  int length() const { return static_cast<int>(labelled_at.size()); }
  // Positions [first, last), cut to those there are. [0, L) is the accuracy on prefixes of length L: the model reads from
  // left to right, so that one pass over long sequences measures every shorter length too.
  LabelCounts counts(int first, int last) const;
  LabelCounts total() const { return counts(0, length()); }

  double accuracy() const { return total().accuracy(); }
  double scaled_accuracy() const { return engine::scaled_accuracy(accuracy(), classes); }
};

// Powers of two from 16 on that are below `length`, then `length`: where accuracies by length are told.
std::vector<int> told_lengths(int length);

// The task that a model's card names, or the one asked for. Error (input): neither, or one that does not fit the model's
// vocabulary or card.
Result<const Task*> task_of(const Model& model, const std::string& asked);

struct EvaluationProgress {
  const Evaluation& so_far;  // changes whenever a batch of sequences is complete
  double done;               // 0..1, of all the stepping
};

// Steps the sequences 0.. of the seed through the backend, as many at a time as its batch. The prediction is the argmax
// over the task's classes. `progress` (may be empty) is called after every step; when it returns false the evaluation
// ends there, with the counts of the batches that are complete. Errors: as the backend's; a logit that is not finite where
// an answer is asked, or an intervention that the model cannot have (input).
Result<Evaluation> evaluate(Backend& backend, const ModelConfig& config, const Task& task,
                            const EvaluateOptions& options,
                            const std::function<bool(const EvaluationProgress&)>& progress);

}  // namespace engine
