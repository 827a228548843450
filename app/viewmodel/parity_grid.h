// The parity bench as it is shown: which candidate, how a cell is coloured, and the words beside it. Pure, no ImGui.
#pragma once

#include "engine/verify/parity_bench.h"

#include <string>

namespace app {

// The row to show: `asked` where it is one, else the first that was measured and fails, else the first measured; -1: none.
int chosen_row(const engine::ParityReport& report, int asked);

// Where a cell lies on the colour scale: 0 at a 10,000th of the limit and below, 1 at the limit and above.
inline constexpr double decades_below_limit = 4;
float heat(const engine::ParityCell& cell);

// "3e-07", "NaN", "0"; of turns a whole number. Short enough for a cell.
std::string cell_text(const engine::ParityCell& cell);
// One sentence or two about a cell: how far off, where, both values.
std::string cell_words(const engine::ModelConfig& config, const engine::ParityCell& cell);
// What came of a candidate: agrees, or where its error begins; whether it repeats itself; or why it was not run.
std::string verdict_words(const engine::ModelConfig& config, const engine::ParityRow& row);

}  // namespace app
