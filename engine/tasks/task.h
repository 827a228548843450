// Tasks with a known truth: sequences drawn from a seed, with the right class at every labelled position.
// A new task is one more row in task.cpp.
#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace engine {

struct LabelledSequence {
  std::vector<std::int32_t> ids;     // (length), each in [0, symbols)
  std::vector<std::int32_t> labels;  // (length), each in [0, classes), or -1 where nothing is asked
};

struct Task {
  const char* name;
  const char* description;
  int symbols;
  int classes;
  // Fills sequence.labels from sequence.ids, which are drawn uniformly.
  void (*label)(LabelledSequence& sequence);

  // Sequence `index` of a seed: the same on every machine, whatever else is drawn.
  LabelledSequence draw(std::uint64_t seed, std::uint64_t index, int length) const;
};

const std::vector<Task>& tasks();

// Error (input): no such task; names those there are.
Result<const Task*> find_task(const std::string& name);

}  // namespace engine
