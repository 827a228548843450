#include "app/panels/panels.h"

namespace app {

void draw_transport(PanelContext& context) {
  const engine::Snapshot& snapshot = *context.workspace.document().snapshot;
  ImGui::SameLine();
  if (ImGui::Button("Step")) context.workspace.post(engine::command::Step{});
  ImGui::SameLine();
  const bool running = snapshot.mode == engine::SessionMode::running;
  if (ImGui::Button(running ? "Pause###run" : "Run###run")) {
    if (running)
      context.workspace.post(engine::command::Pause{});
    else
      context.workspace.post(engine::command::Run{});
  }
}

}  // namespace app
