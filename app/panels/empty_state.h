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

}  // namespace app
