// Tasks with a known truth: sequences drawn from a seed, with the right class at every labelled position. A family of
// tasks is a value that stands somewhere in a sequence, draws a next symbol and reads one (parity.h, modular.h); a task
// is a family's start with a name: a new one is one more row in task.cpp.
#pragma once

#include "engine/base/random.h"
#include "engine/base/result.h"
#include "engine/tasks/modular.h"
#include "engine/tasks/parity.h"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace engine {

struct LabelledSequence {
  std::vector<std::int32_t> ids;     // (length), each in [0, symbols)
  std::vector<std::int32_t> labels;  // (length), each in [0, classes), or not_asked
};

using TaskState = std::variant<Parity, Modular>;

struct Task {
  const char* name;
  const char* description;
  int symbols;
  int classes;
  TaskState start;
  std::vector<std::string> symbol_texts = {}, label_texts = {};  // by id; a model's card must name them alike

  // Sequence `index` of a seed: the same on every machine, whatever else is drawn.
  LabelledSequence draw(std::uint64_t seed, std::uint64_t index, int length) const;
};

// A sequence of a task as it grows, symbol by symbol, drawn or given. Small, and cheap to copy.
class TaskWalk {
 public:
  explicit TaskWalk(const Task& task) : state_(task.start) {}

  // A symbol that may come next; after one that broke the grammar, what might have come in its place.
  std::int32_t draw(Random& random) const;
  // The class after this symbol, or not_asked. From a symbol that the grammar does not allow on: not_known.
  std::int32_t read(std::int32_t id);

 private:
  TaskState state_;
  bool lost_ = false;
};

const std::vector<Task>& tasks();

// Error (input): no such task; names those there are.
Result<const Task*> find_task(const std::string& name);

}  // namespace engine
