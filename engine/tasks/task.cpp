#include "engine/tasks/task.h"

#include "engine/base/quote.h"

#include <fmt/format.h>

namespace engine {

LabelledSequence Task::draw(std::uint64_t seed, std::uint64_t index, int length) const {
  LabelledSequence sequence;
  Random random(seed, index);
  TaskWalk walk(*this);
  for (int t = 0; t < length; ++t) {
    sequence.ids.push_back(walk.draw(random));
    sequence.labels.push_back(walk.read(sequence.ids.back()));
  }
  return sequence;
}

std::int32_t TaskWalk::draw(Random& random) const {
  return std::visit([&](const auto& state) { return state.draw(random); }, state_);
}

std::int32_t TaskWalk::read(std::int32_t id) {
  if (lost_) return not_known;
  const std::int32_t label = std::visit([&](auto& state) { return state.read(id); }, state_);
  lost_ = label == not_known;
  return label;
}

const std::vector<Task>& tasks() {
  static const std::vector<std::string> digits = {"0", "1", "2", "3", "4"};
  static const std::vector<Task> all = {
      {"parity", "over 0 and 1: whether the number of ones so far is odd", 2, 2, Parity(), {"0", "1"}, {"even", "odd"}},
      {"modular",
       "digits and + - x: the value so far modulo 5, x before + and -",
       8,
       5,
       Modular(0),
       {"0", "1", "2", "3", "4", "+", "-", "x"},
       digits},
      {"modular-brackets",
       "the same with brackets, at most 4 deep: the value modulo 5 where all are closed",
       10,
       5,
       Modular(Modular::deepest),
       {"0", "1", "2", "3", "4", "+", "-", "x", "(", ")"},
       digits}};
  return all;
}

Result<const Task*> find_task(const std::string& name) {
  std::string known;
  for (const Task& task : tasks()) {
    if (name == task.name) return &task;
    known += (known.empty() ? "" : ", ") + std::string(task.name);
  }
  return input_error(fmt::format("There is no task {}. Known tasks: {}.", in_quotes(name), known));
}

}  // namespace engine
