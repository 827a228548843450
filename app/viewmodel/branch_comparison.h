// One branch beside the current one at the same token, from what the records of both hold. Pure.
#pragma once

#include "engine/session/snapshot.h"

#include <cstdint>
#include <limits>
#include <string>

namespace app {

struct BranchComparison {
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();

  std::int64_t both = 0;               // tokens that both branches have stepped
  std::int64_t first_difference = -1;  // the first of them that differs; -1: none
  bool there = false;                  // whether the other one has stepped the shown token
  std::int32_t other_id = -1;          // its token there
  double kl_bits = nan;                // KL(this || other) of what they predict after it; NaN: not recorded
  bool kl_whole = false;               // over all that can be predicted; else a lower bound from the best of both
  std::string predicted, other_predicted;
  double state_distance = nan;  // |h - h'| / |h'| of one layer, all heads, stored frame; NaN: not recorded
};

// `index`: the shown token, at least 0 and below the snapshot's tokens.
BranchComparison compare_branch(const engine::Snapshot& snapshot, const engine::BranchView& other, std::int64_t index,
                                int layer);

// Whether the other branch has another token at a position, or none.
bool differs_at(const engine::Snapshot& snapshot, const engine::BranchView& other, std::int64_t position);

// The branch to compare with: the one that was chosen, else the one that the current one began on, else any other; null
// where there is one branch only.
const engine::BranchView* branch_beside(const engine::Snapshot& snapshot, int chosen);

}  // namespace app
