#include "engine/session/task_source.h"

#include "engine/tasks/evaluate.h"

namespace engine {

namespace {

// Sampling and drawing use the same seed, and must not use the same numbers.
constexpr std::uint64_t own_seeds = 0x7461736B00000000U;

}  // namespace

TaskSource::TaskSource(const Model& model, std::uint64_t seed) : seed_(seed + own_seeds) {
  const auto vocab = static_cast<std::uint64_t>(model.config().vocab_size);
  const std::uint64_t symbols = model.card.symbols.size();
  choices_ = symbols > 0 ? symbols : vocab;
  beginning_ = model.text_beginning();
  if (!model.card.labels_positions()) return;
  if (const auto task = task_of(model, "")) before_.emplace_back(**task);
}

std::int32_t TaskSource::draw(std::int64_t position) const {
  Random random(seed_, static_cast<std::uint64_t>(position));
  if (!before_.empty()) return before_[static_cast<std::size_t>(position)].draw(random);
  if (beginning_ >= 0) return beginning_;
  return static_cast<std::int32_t>(random.below(choices_));
}

std::int32_t TaskSource::read(std::int64_t position, std::int32_t id) {
  if (before_.empty()) return not_asked;
  before_.erase(before_.begin() + position + 1, before_.end());
  TaskWalk walk = before_.back();
  const std::int32_t label = walk.read(id);
  before_.push_back(walk);
  return label;
}

std::int64_t TaskSource::known() const {
  return before_.empty() ? INT64_MAX : static_cast<std::int64_t>(before_.size()) - 1;
}

void TaskSource::forget(std::int64_t count) {
  if (known() > count && !before_.empty()) before_.erase(before_.begin() + count + 1, before_.end());
}

}  // namespace engine
