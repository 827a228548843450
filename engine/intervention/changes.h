// The changes of one sequence's step in all layers, as the kernels read them.
#pragma once

#include "kernels/intervention/intervention.h"

#include <vector>

namespace engine {

struct SequenceChanges {
  std::vector<kernels::HeadChange> heads;  // (L, H), or empty: none
  std::vector<kernels::RankChange> ranks;  // (L, H, R), or empty
  std::vector<kernels::PairChange> pairs;  // (L, H, S), or empty
  std::vector<kernels::CellChange> cells;  // their `sequence` is not looked at

  bool none() const { return heads.empty() && ranks.empty() && pairs.empty() && cells.empty(); }
};

}  // namespace engine
