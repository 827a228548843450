// Moves the selection of a freshly opened model to the layer, head, pair and row that show its rotations best, until
// the user chooses. UI thread only.
#pragma once

#include "app/shell/workspace.h"

namespace app {

// Called by the panels before they read the selection; looks again only when tokens were added, and never after the
// user has changed layer, head, pair or row. Keeps the selection inside the model's shape.
void keep_first_focus(Workspace& workspace);

}  // namespace app
