#include "app/panels/empty_state.h"
#include "app/panels/panels.h"

namespace app {

void draw_timings(PanelContext& context) {
  if (context.workspace.shown() == nullptr) {
    if (draw_empty_state(context.theme, "No token yet", "The time of every stage appears after a step.", "Step"))
      context.workspace.post(engine::command::Step{});
    return;
  }
  ImGui::Text("token %lld", static_cast<long long>(context.workspace.shown()->position));
}

}  // namespace app
