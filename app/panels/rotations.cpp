#include "app/panels/empty_state.h"
#include "app/panels/panels.h"

namespace app {

void draw_rotations(PanelContext& context) {
  if (context.workspace.shown() == nullptr) {
    if (draw_empty_state(context.theme, "No token yet", "The phasors of the chosen head appear after a step.", "Step"))
      context.workspace.post(engine::command::Step{});
    return;
  }
  ImGui::Text("token %lld", static_cast<long long>(context.workspace.shown()->position));
}

}  // namespace app
