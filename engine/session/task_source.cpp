#include "engine/session/task_source.h"

#include "engine/base/random.h"

#include <algorithm>

namespace engine {

namespace {

// Sampling and drawing use the same seed, and must not use the same numbers.
constexpr std::uint64_t own_seeds = 0x7461736B00000000U;
// Labels are found for this many drawn inputs more than are asked for, and for as many as there were already: so the
// work per token stays constant on average.
constexpr std::size_t least_ahead = 256;

}  // namespace

TaskSource::TaskSource(const Model& model, std::uint64_t seed) : seed_(seed + own_seeds) {
  const auto vocab = static_cast<std::size_t>(model.config().vocab_size);
  std::size_t symbols = model.card.symbols.size();
  if (model.card.labels_positions()) {
    if (const auto found = find_task(model.card.task)) {
      task_ = *found;
      symbols = static_cast<std::size_t>(task_->symbols);
    }
  }
  choices_ = symbols > 0 ? std::min(symbols, vocab) : vocab;
}

std::int32_t TaskSource::draw(std::int64_t position) const {
  return static_cast<std::int32_t>(Random(seed_, static_cast<std::uint64_t>(position)).below(choices_));
}

bool TaskSource::planned(std::int64_t position, std::int32_t id) const {
  const auto at = static_cast<std::size_t>(position);
  return task_ == nullptr || (at < sequence_.ids.size() && sequence_.ids[at] == id);
}

void TaskSource::plan(std::int64_t position, const std::vector<std::int32_t>& ids) {
  if (task_ == nullptr) return;
  const auto at = static_cast<std::size_t>(position);
  sequence_.ids.resize(at);
  sequence_.ids.insert(sequence_.ids.end(), ids.begin(), ids.end());
  const std::size_t end = 2 * sequence_.ids.size() + least_ahead;
  while (sequence_.ids.size() < end) {
    sequence_.ids.push_back(draw(static_cast<std::int64_t>(sequence_.ids.size())));
  }
  // A task says nothing about an id that is none of its symbols, nor about what follows it.
  const auto stranger = std::find_if(sequence_.ids.begin(), sequence_.ids.end(),
                                     [this](std::int32_t id) { return id < 0 || id >= task_->symbols; });
  LabelledSequence known;
  known.ids.assign(sequence_.ids.begin(), stranger);
  known.labels.assign(known.ids.size(), -1);
  task_->label(known);
  sequence_.labels = std::move(known.labels);
  sequence_.labels.resize(sequence_.ids.size(), -1);
}

std::int32_t TaskSource::truth(std::int64_t position) const {
  return task_ == nullptr ? -1 : sequence_.labels[static_cast<std::size_t>(position)];
}

}  // namespace engine
