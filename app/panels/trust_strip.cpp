#include "app/panels/panels.h"

namespace app {

void draw_trust_strip(PanelContext& context) {
  const engine::Snapshot& snapshot = *context.workspace.document().snapshot;
  ImGui::TextColored(context.theme.secondary, "%s - %s", snapshot.backend.name.c_str(),
                     snapshot.backend.device.c_str());
}

}  // namespace app
