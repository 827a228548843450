// Branches in the transport: the current one with a menu of all, undo, redo. UI thread only.
#pragma once

#include "app/panels/panels.h"

namespace app {

class Flow;

void draw_branch_controls(PanelContext& context, Flow& flow);

}  // namespace app
