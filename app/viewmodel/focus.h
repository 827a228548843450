// Where to look first: the layer, head, pair and row whose rotations carry the input most clearly. Found by data, so
// that the first picture of any model is its telling one. Pure, no ImGui.
#pragma once

#include "engine/session/snapshot.h"

#include <cstddef>
#include <optional>

namespace app {

struct Focus {
  int layer = 0, head = 0, pair = 0, row = 0;
  double contrast = 0;  // radians; see find_focus
};

// For a model with at most 64 input symbols: the pair whose distance of |dtheta mod 2 pi| from half a turn differs most
// between two symbols (contrast in [0, pi]). Among pairs within 5 % of the best one, the pair and row p whose state
// follows its turns with most energy, i.e. the largest sum over tokens of Re(conj(e^(-i dtheta) z_(t-1)) z_t), where the
// matrix state was recorded. For other models the contrast is the mean |dtheta|. At most the newest `max_tokens` tokens
// count. Nothing before two tokens or without a pair that turns.
std::optional<Focus> find_focus(const engine::Snapshot& snapshot, std::size_t max_tokens = 256);

}  // namespace app
