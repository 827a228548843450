// The changes of one sequence's step in all layers, as the kernels read them.
#pragma once

#include "engine/base/result.h"
#include "engine/model/config.h"
#include "kernels/intervention/intervention.h"

#include <memory>
#include <vector>

namespace engine {

struct SequenceChanges {
  std::vector<kernels::HeadChange> heads;  // (L, H), or empty: none
  std::vector<kernels::RankChange> ranks;  // (L, H, R), or empty
  std::vector<kernels::PairChange> pairs;  // (L, H, S), or empty
  std::vector<kernels::CellChange> cells;  // their `sequence` is not looked at

  bool none() const { return heads.empty() && ranks.empty() && pairs.empty() && cells.empty(); }
};

// Changes that change nothing, `layers` times: a layer's worth, of each kind.
std::vector<kernels::HeadChange> neutral_heads(const ModelConfig& config, int layers);
std::vector<kernels::RankChange> neutral_ranks(const ModelConfig& config, int layers);
std::vector<kernels::PairChange> neutral_pairs(const ModelConfig& config, int layers);

// Those of the pairs, for StepCoefficients::pairs: null where there are none.
std::shared_ptr<const std::vector<kernels::PairChange>> shared_pairs(SequenceChanges changes);

// Whether a step can be changed so. Errors (input): a table of another size; a pair that takes the turn of one that there
// is not; a cell that the model does not have, or one cell twice.
Result<void> check_sizes(const SequenceChanges& changes, const ModelConfig& config);

}  // namespace engine
