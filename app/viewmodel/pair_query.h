// The search for channel pairs in words: "half", "1/5 turn", "72°", "slowest decay", "largest change". Pure, no ImGui.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/analysis/pair_search.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct PairPreset {
  const char* text;  // that parse_pair_query understands
  const char* meaning;
};
std::span<const PairPreset> pair_presets();

// Nothing where the words say nothing that can be searched.
std::optional<engine::PairQuery> parse_pair_query(std::string_view words);
// "turns next to 1/2, either sense": what was understood.
std::string describe(const engine::PairQuery& query);
// A hit's value with its unit: "−0.498 turn", "31 tokens".
std::string hit_text(const engine::PairQuery& query, const engine::PairHit& hit);

struct PairFinds {
  std::vector<engine::PairHit> hits;  // best first
  int layers = 0;                     // searched
};
PairFinds find_pairs(const engine::Snapshot& snapshot, std::int64_t index, const engine::PairQuery& query,
                     std::size_t most);

}  // namespace app
