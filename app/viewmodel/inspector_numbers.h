// The numbers behind the selection, with their units and the equations that they satisfy. Pure, no ImGui.
#pragma once

#include "app/viewmodel/formula.h"
#include "app/viewmodel/selection.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

struct NumberRow {
  std::string symbol;   // "dt"
  std::string value;    // "1.0021"
  std::string note;     // unit or meaning, short: "half-life 1,690 tokens"
  std::string meaning;  // tool tip: what it is and its equation
  bool highlight = false;
};

struct InspectorNumbers {
  std::string place;            // "layer 0 · head 0 · pair 3 · token 23 '1'"
  std::vector<NumberRow> rows;  // empty where the token's coefficients were not kept
  Formula state, pair;          // H_t = ..., z_t = ... of the selected pair
};

InspectorNumbers make_inspector(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index);

// The equation of the selected frame with the shown token's numbers: un-rotated z_t, stored h_t of the selected pair.
Formula frame_formula(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index);

}  // namespace app
