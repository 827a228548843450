// What can be done to one token of the strip: put another in its place, go back to it, branch off. UI thread only.
#pragma once

#include "app/panels/panels.h"

#include <cstdint>

namespace app {

// Asks for the editor of a token at the next frame.
void edit_token(Workspace& workspace, std::int64_t position);
// Opens when it was asked for, and draws while it is open; in the strip's window.
void draw_token_editor(PanelContext& context);
// The menu of the last item, which is a token; consumed: of those, else to come.
void draw_token_menu(PanelContext& context, std::int64_t position, bool consumed);

}  // namespace app
