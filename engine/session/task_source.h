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
  // The model's card names the task; without one that fits the model, inputs are drawn from the symbols (or the
  // vocabulary; where ids spell text, what a text begins with) and nothing is asked.
  TaskSource(const Model& model, std::uint64_t seed);

  // The input drawn for a position, every one before which was read: depends on the seed, the position, and what the
  // task's grammar allows there.
  std::int32_t draw(std::int64_t position) const;
  // The class after this id at a position, every one before which was read; not_asked, not_known as the task says. What
  // was read there and after it is forgotten.
  std::int32_t read(std::int64_t position, std::int32_t id);
  // How many tokens were read and not forgotten; everything, where nothing is asked.
  std::int64_t known() const;
  // Other tokens may stand from `count` on.
  void forget(std::int64_t count);

 private:
  std::uint64_t seed_;
  std::uint64_t choices_;
  std::int32_t beginning_ = -1;   // of a text; -1: nothing is known to begin one
  std::vector<TaskWalk> before_;  // [i]: the sequence before position i; empty without a task
};

}  // namespace engine
