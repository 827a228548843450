#include "engine/backend/host_changes.h"

#include <algorithm>

namespace engine {

HostChanges::HostChanges(const ModelConfig& config, int batch)
    : layers_(static_cast<std::size_t>(config.n_layer)),
      heads_(config.heads()),
      rows_(config.headdim),
      channels_(config.d_state),
      cells_(static_cast<std::size_t>(batch)) {
  of_heads_.neutral = neutral_heads(config, 1);
  of_ranks_.neutral = neutral_ranks(config, 1);
  of_pairs_.neutral = neutral_pairs(config, 1);
  for (std::vector<bool>* given : {&of_heads_.given, &of_ranks_.given, &of_pairs_.given}) given->resize(cells_.size());
}

template <class Change>
void HostChanges::Table<Change>::set(std::size_t sequence, const std::vector<Change>& changes, std::size_t layers) {
  given[sequence] = !changes.empty();
  if (std::find(given.begin(), given.end(), true) == given.end()) return all.clear();
  const std::size_t count = neutral.size();
  if (all.empty()) {
    all.reserve(layers * given.size() * count);
    for (std::size_t i = 0; i < layers * given.size(); ++i) all.insert(all.end(), neutral.begin(), neutral.end());
  }
  for (std::size_t l = 0; l < layers; ++l) {
    const Change* from = changes.empty() ? neutral.data() : changes.data() + l * count;
    std::copy_n(from, count, all.data() + (l * given.size() + sequence) * count);
  }
}

template <class Change>
const Change* HostChanges::Table<Change>::of_layer(std::size_t index) const {
  return all.empty() ? nullptr : all.data() + index * given.size() * neutral.size();
}

void HostChanges::set(int sequence, const SequenceChanges& changes) {
  const auto at = static_cast<std::size_t>(sequence);
  of_heads_.set(at, changes.heads, layers_);
  of_ranks_.set(at, changes.ranks, layers_);
  of_pairs_.set(at, changes.pairs, layers_);
  cells_[at] = changes.cells;
  for (kernels::CellChange& cell : cells_[at]) cell.sequence = sequence;
}

bool HostChanges::any() const {
  return !of_heads_.all.empty() || !of_ranks_.all.empty() || !of_pairs_.all.empty() ||
         std::any_of(cells_.begin(), cells_.end(), [](const auto& cells) { return !cells.empty(); });
}

kernels::LayerChanges HostChanges::layer(std::size_t index) const {
  return {of_heads_.of_layer(index), of_ranks_.of_layer(index), of_pairs_.of_layer(index)};
}

}  // namespace engine
