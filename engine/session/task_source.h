// Inputs for a model that labels positions, drawn from its task, and the right class at each position. Belongs to one
// session; one thread. A task's class at a position depends on the ids up to it only, so it is known for ids that were
// given instead of drawn, too.
#pragma once

#include "engine/model/model.h"
#include "engine/tasks/task.h"

#include <cstdint>
#include <vector>

namespace engine {

class TaskSource {
 public:
  // The model's card names the task; without one, inputs are drawn from the symbols (or the vocabulary) and nothing is
  // known about the truth.
  TaskSource(const Model& model, std::uint64_t seed);

  // The input drawn for a position: depends on the seed and the position only.
  std::int32_t draw(std::int64_t position) const;
  // Whether truth(position) is known for this id there, after the ids that were planned before it.
  bool planned(std::int64_t position, std::int32_t id) const;
  // Makes it known: `ids` come at this position and after, then drawn ones. All ids before the position stay.
  void plan(std::int64_t position, const std::vector<std::int32_t>& ids);
  // The class at a planned position; -1: none, or no task.
  std::int32_t truth(std::int64_t position) const;

 private:
  const Task* task_ = nullptr;
  std::uint64_t seed_;
  std::uint64_t choices_;
  LabelledSequence sequence_;
};

}  // namespace engine
