// The pop-up below the transport in which the tokens to consume are typed. UI thread only.
#pragma once

#include "app/panels/panels.h"

namespace app {

// Opens when the workspace asks for it, and draws while it is open.
void draw_prompt_editor(PanelContext& context);

}  // namespace app
