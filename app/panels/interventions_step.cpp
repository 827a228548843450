// "Step the session with these": the list that runs beside the branch becomes the branch's own, or a new branch's, from a
// token on.
#include "app/panels/interventions.h"
#include "app/panels/parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/in_force.h"
#include "engine/intervention/sequence_interventions.h"

#include <fmt/format.h>

#include <algorithm>

namespace app {
namespace {

constexpr const char* title = "Step the session with these";

void step_session(PanelContext& context, const InterventionDesk& desk, const InterventionData& data) {
  Workspace& workspace = context.workspace;
  const engine::Snapshot& snapshot = *data.snapshot;
  const Interventions list = engine::joined(snapshot.interventions, from_token(desk.list.now(), desk.step_from));
  workspace.selection.token = -1;
  if (!desk.step_on_new_branch) return workspace.post(engine::command::Intervene{list});
  engine::command::Fork fork;
  fork.name = shortened(in_force_words(desk.list.now()), 200 * context.theme.scale);
  fork.ids = snapshot.pending;
  fork.interventions = list;
  workspace.post(std::move(fork));
}

}  // namespace

float step_button_height(const Theme& theme) { return ImGui::GetFrameHeightWithSpacing() + 4 * theme.scale; }

void draw_step_with_these(PanelContext& context, InterventionDesk& desk, const InterventionData& data) {
  const Theme& theme = context.theme;
  const float s = theme.scale;
  ImGui::BeginDisabled(desk.list.now().empty());
  if (ImGui::Button(fmt::format("{} ▸###step-with", title).c_str(), {-1, 0})) {
    desk.step_from = 0;
    desk.step_on_new_branch = true;
    ImGui::OpenPopup("step-with");
  }
  ImGui::EndDisabled();
  tooltip(
      "The session itself is stepped under these changes from a token on: on a new branch, or on this one. Ctrl+Z "
      "takes "
      "it back.");
  if (!ImGui::BeginPopup("step-with")) return;
  const engine::Snapshot& snapshot = *data.snapshot;
  const auto consumed = static_cast<std::int64_t>(snapshot.tokens.size());
  ImGui::TextColored(theme.secondary, "%s", in_force_lines(desk.list.now()).c_str());
  ImGui::Separator();
  if (chip(theme, "a new branch", desk.step_on_new_branch, "With the same tokens; this branch stays as it is."))
    desk.step_on_new_branch = true;
  ImGui::SameLine(0, 4 * s);
  if (chip(theme, "this branch", !desk.step_on_new_branch,
           "Its tokens from there on are stepped again. Undo brings back what was."))
    desk.step_on_new_branch = false;
  int from = static_cast<int>(desk.step_from);
  if (small_slider(theme, "##from", &from, 0, static_cast<int>(consumed),
                   from == consumed ? "from the next token" : "from token %d", 190 * s,
                   "The first token whose step is changed; those before stay as they are."))
    desk.step_from = from;
  ImGui::SameLine(0, 6 * s);
  if (chip(theme, "the shown one", desk.step_from == data.index, "From the token that the views show."))
    desk.step_from = data.index;
  ImGui::SameLine(0, 4 * s);
  if (chip(theme, "the next one", desk.step_from == consumed, "What was stepped stays; only what comes is changed."))
    desk.step_from = consumed;
  const Interventions list = from_token(desk.list.now(), desk.step_from);
  if (list.empty()) ImGui::TextColored(theme.warning, "None of the changes reaches that far: their tokens end before.");
  if (!snapshot.interventions.empty())
    ImGui::TextColored(theme.secondary, "On top of %s, in force on %s.", in_force_words(snapshot.interventions).c_str(),
                       data.branch_name().c_str());
  ImGui::BeginDisabled(list.empty());
  if (primary_button(theme, desk.step_on_new_branch ? "Make the branch###apply" : "Step it again###apply")) {
    step_session(context, desk, data);
    desk.list.edit({});
    desk.use = InterventionDesk::Use::branch;
    ImGui::CloseCurrentPopup();
  }
  ImGui::EndDisabled();
  if (ImGui::IsKeyPressed(ImGuiKey_Escape, false)) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
}

}  // namespace app
