#include "engine/intervention/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

namespace engine {

namespace {

std::size_t heads_of(const ModelConfig& config, int layers) {
  return static_cast<std::size_t>(layers) * static_cast<std::size_t>(config.heads());
}

auto place(const kernels::CellChange& c) { return std::tie(c.layer, c.head, c.row, c.channel); }

bool inside(std::int32_t index, int count) { return index >= 0 && index < count; }

}  // namespace

std::vector<kernels::HeadChange> neutral_heads(const ModelConfig& config, int layers) {
  return std::vector<kernels::HeadChange>(heads_of(config, layers));
}

std::vector<kernels::RankChange> neutral_ranks(const ModelConfig& config, int layers) {
  return std::vector<kernels::RankChange>(heads_of(config, layers) * static_cast<std::size_t>(config.rank()));
}

std::vector<kernels::PairChange> neutral_pairs(const ModelConfig& config, int layers) {
  const auto pairs = static_cast<std::size_t>(config.angles());
  std::vector<kernels::PairChange> made(heads_of(config, layers) * pairs);
  for (std::size_t i = 0; i < made.size(); ++i) made[i].source = static_cast<std::int32_t>(i % pairs);
  return made;
}

std::shared_ptr<const std::vector<kernels::PairChange>> shared_pairs(SequenceChanges changes) {
  if (changes.pairs.empty()) return nullptr;
  return std::make_shared<const std::vector<kernels::PairChange>>(std::move(changes.pairs));
}

Result<void> check_sizes(const SequenceChanges& changes, const ModelConfig& config) {
  const std::size_t heads = heads_of(config, config.n_layer);
  const auto fits = [](const char* what, std::size_t found, std::size_t expected) -> Result<void> {
    if (found == 0 || found == expected) return {};
    return input_error(fmt::format("The changes of {} have {} entries; this model takes {}.", what, found, expected));
  };
  const auto pairs = static_cast<std::size_t>(config.angles());
  if (auto ok = fits("the heads", changes.heads.size(), heads); !ok) return ok;
  if (auto ok = fits("the ranks", changes.ranks.size(), heads * static_cast<std::size_t>(config.rank())); !ok)
    return ok;
  if (auto ok = fits("the rotated pairs", changes.pairs.size(), heads * pairs); !ok) return ok;
  for (const kernels::PairChange& pair : changes.pairs) {
    if (inside(pair.source, config.angles())) continue;
    return input_error(fmt::format("A pair cannot take the turn of pair {}; the model has {}.", pair.source, pairs));
  }
  for (const kernels::CellChange& c : changes.cells) {
    if (inside(c.layer, config.n_layer) && inside(c.head, config.heads()) && inside(c.row, config.headdim) &&
        inside(c.channel, config.d_state)) {
      continue;
    }
    return input_error(fmt::format(
        "There is no cell at layer {}, head {}, row {}, channel {}: the model has {} layers of {} heads of {} x {}.",
        c.layer, c.head, c.row, c.channel, config.n_layer, config.heads(), config.headdim, config.d_state));
  }
  std::vector<kernels::CellChange> sorted = changes.cells;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return place(a) < place(b); });
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end(),
                                        [](const auto& a, const auto& b) { return place(a) == place(b); });
  if (twice == sorted.end()) return {};
  return input_error(fmt::format("The cell at layer {}, head {}, row {}, channel {} is changed twice.", twice->layer,
                                 twice->head, twice->row, twice->channel));
}

}  // namespace engine
