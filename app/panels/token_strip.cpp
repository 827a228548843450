#include "app/panels/panels.h"

namespace app {

void draw_token_strip(PanelContext& context) {
  const engine::Snapshot& snapshot = *context.workspace.document().snapshot;
  ImGui::Text("%zu tokens, %zu to come", snapshot.tokens.size(), snapshot.pending.size());
}

}  // namespace app
