// The formulas of the discretisation with the numbers of one head, pair and token in place. Pure, no ImGui.
#pragma once

#include "app/viewmodel/mathematics.h"
#include "app/viewmodel/selection.h"
#include "app/viewmodel/table.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

struct FormulaCard {
  std::string key;          // for files and items: "coefficients"
  std::string title, note;  // what it is, and what to know about it
  std::vector<Math> lines;
  Table numbers;  // the values that stand in it, one row
};
// Empty where the token's coefficients were not kept.
std::vector<FormulaCard> make_formula_cards(const engine::Snapshot& snapshot, const Selection& selection,
                                            std::int64_t index);

}  // namespace app
