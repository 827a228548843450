// Random changes as large as what an intervention does, to tell what it does in particular from what any change of that
// size would do. A direction is drawn for every control, token, layer and head from a seed: the same on every machine.
#pragma once

#include "engine/backend/state.h"
#include "engine/intervention/changes.h"
#include "engine/model/config.h"

#include <cstdint>
#include <vector>

namespace engine {

enum class ControlKind : std::uint8_t {
  // After every token each head's matrix state is the original's plus a random one as large as what lies between the
  // counterfactual and the original, in the frame that the queries read; caches and angles are the original's.
  state,
  // After every token each head's matrix state is pushed by a random change as large as what the intervention does in that
  // one step, from the original's state. The pushes gather over the tokens, as what the intervention does gathers.
  step,
  // At every token each head's angles advance by a random change beside their own, as large over the pairs (in radians)
  // as the change of the advance in the counterfactual. What it does gathers over the tokens.
  rotation,
};
const char* name_of(ControlKind kind);

struct ControlDraw {
  std::uint64_t seed = 0;
  int control = 0;
  std::int64_t position = 0;  // of the token
};

// `control` with a random change in every head, as large as what lies between the two others, in the frame that the
// queries read. States complete.
SequenceState pushed(const ModelConfig& config, const SequenceState& control, const SequenceState& a,
                     const SequenceState& b, const ControlDraw& draw);

// How far the angles of each head advanced differently in a step of the two, (L, H), radians: the norm over the pairs.
std::vector<double> advance_apart(const ModelConfig& config, const SequenceState& original_before,
                                  const SequenceState& original_after, const SequenceState& counterfactual_before,
                                  const SequenceState& counterfactual_after);
// Advances changed by so much in a random direction. Nothing where all are 0.
SequenceChanges rotation_control(const ModelConfig& config, const std::vector<double>& apart, const ControlDraw& draw);

}  // namespace engine
