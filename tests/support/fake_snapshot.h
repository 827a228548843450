// Made-up snapshots for tests of view-models and panels: a small Mamba-3 state is really stepped (keys rotated when
// written, so that the un-rotated phasors turn by -dtheta), with turns, decays and inputs that a test chooses.
#pragma once

#include "engine/session/snapshot.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace tests {

struct FakeShape {
  int layers = 1, d_model = 32, headdim = 16, d_state = 16;
  bool mimo = false;
  double rope_fraction = 0.5;
  int vocab = 2;
  bool labelling = true;  // parity labels of the ids
  bool record_matrix = true;
};

// One head (the last layer's last) turns pair `half_pair` by half a turn on id 1 and stands still on id 0; all other
// pairs turn a little whatever the token is. Ids are given.
std::shared_ptr<engine::Snapshot> fake_snapshot(const FakeShape& shape, const std::vector<std::int32_t>& ids,
                                                int half_pair = 1);

}  // namespace tests
