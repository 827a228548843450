#include "engine/tasks/task.h"

#include "engine/base/quote.h"
#include "engine/base/random.h"

#include <fmt/format.h>

namespace engine {

namespace {

// Whether the number of ones so far, this position included, is odd.
void label_parity(LabelledSequence& sequence) {
  std::int32_t odd = 0;
  for (std::size_t i = 0; i < sequence.ids.size(); ++i) {
    odd ^= sequence.ids[i];
    sequence.labels[i] = odd;
  }
}

}  // namespace

LabelledSequence Task::draw(std::uint64_t seed, std::uint64_t index, int length) const {
  LabelledSequence sequence;
  sequence.ids.resize(static_cast<std::size_t>(length));
  sequence.labels.assign(static_cast<std::size_t>(length), -1);
  Random random(seed, index);
  for (std::int32_t& id : sequence.ids) {
    id = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(symbols)));
  }
  label(sequence);
  return sequence;
}

const std::vector<Task>& tasks() {
  static const std::vector<Task> all = {
      {"parity", "over 0 and 1: whether the number of ones so far is odd", 2, 2, label_parity}};
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
