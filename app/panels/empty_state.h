// The designed empty, loading, unavailable and failed states: one sentence, one reason, one action.
#pragma once

#include "app/shell/workspace.h"
#include "app/theme/theme.h"

#include <string_view>

namespace app {

// Centres the message in what is left of the current window. Returns true when the action (drawn as a button unless
// empty) was clicked.
bool draw_empty_state(const Theme& theme, std::string_view sentence, std::string_view reason,
                      std::string_view action = {});

// Where token `index` was prefilled and nothing is recorded of it: says so, and a click goes there. Whether it was drawn.
bool draw_prefilled(const Theme& theme, Workspace& workspace, const engine::Snapshot& snapshot, std::int64_t index);
// Where recorded tokens are replayed and the shown one has no matrix state (of `layer`; -1: of any): says so, and a click goes to
// the nearest token that has one. Whether it was drawn.
bool draw_without_states(const Theme& theme, Workspace& workspace, const engine::Snapshot& snapshot, int layer);

}  // namespace app
