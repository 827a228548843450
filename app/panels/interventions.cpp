// The interventions panel: a list of changes to the step, and beside it what they do to the model, beside random changes of
// the same size.
#include "app/panels/interventions.h"

#include "app/panels/empty_state.h"
#include "app/panels/parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

// States of all runs go to the host and back at every token: beyond this nobody wants it without asking.
constexpr std::size_t followed_by_itself = std::size_t{16} << 20U;

void page_chips(const Theme& theme, InterventionDesk& desk) {
  using Page = InterventionDesk::Page;
  const auto page = [&](const char* label, Page own, const char* tip) {
    if (chip(theme, label, desk.page == own, tip)) desk.page = own;
    ImGui::SameLine(0, 4 * theme.scale);
  };
  page("over tokens", Page::tokens, "Predictions and states after each token of this context.");
  page("dose response", Page::dose, "From no change to all of it, beside controls of every strength.");
  page("patching", Page::patching, "A head's state from another text in this one, head by head.");
}

void control_chips(const Theme& theme, InterventionDesk& desk) {
  using Kind = engine::ControlKind;
  const auto kind = [&](const char* label, Kind own, const char* tip) {
    ImGui::SameLine(0, 4 * theme.scale);
    if (chip(theme, label, desk.kind == own, tip)) desk.kind = own;
  };
  ImGui::SameLine(0, 14 * theme.scale);
  small_slider(theme, "##controls", &desk.controls, 0, 8, "%d controls", 90 * theme.scale,
               "Random changes of the same size that run beside it.");
  if (desk.controls == 0) return;
  kind("state", Kind::state,
       "After every token each head's state is the original's plus a random one, as far away as the counterfactual's "
       "is.");
  kind("step", Kind::step,
       "At every token each head's state is pushed by a random change as large as one changed step does; it gathers.");
  kind(
      "turn", Kind::rotation,
      "At every token each head's angles advance by a random change, as large over the pairs as the counterfactual's.");
}

std::string status(const InterventionData& data) {
  const InterventionRunReport& run = *data.run;
  if (run.error) return run.error->message;
  if (run.settings.list.empty()) return "Nothing is changed: choose a preset or add a change.";
  return fmt::format("{} of {} tokens{} in {} ms. Effect, not error: nothing here is the truth.", run.tokens.size(),
                     data.snapshot->tokens.size(), run.running ? "..." : "", number_text(run.ms, 2));
}

}  // namespace

void draw_interventions(PanelContext& context) {
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  const Document& document = workspace.document();
  const std::shared_ptr<const engine::Snapshot> snapshot = document.snapshot;
  if (snapshot->empty()) {
    if (draw_empty_state(
            theme, "No token yet",
            "Changes to rotation, λ, dt, A, a head, a rank or a cell of the state are run beside the model "
            "over the tokens of a context.",
            "Step"))
      workspace.post(engine::command::Step{});
    return;
  }
  if (!document.interventions) return;  // the shell makes it in the next frame
  InterventionDesk& desk = *document.interventions;
  if (!desk.follower) desk.follower = std::make_unique<InterventionFollower>(desk.model, desk.backend);
  std::vector<std::int32_t> ids;
  ids.reserve(snapshot->tokens.size());
  for (const auto& record : snapshot->tokens) ids.push_back(record->id);
  InterventionData data{snapshot.get(), document.model.get(), nullptr, shown_index(*snapshot, workspace.selection)};
  const bool heavy = snapshot->backend.state_bytes > followed_by_itself;
  if (!heavy || desk.go) desk.follower->want(desk.settings(), ids);
  data.run = desk.follower->report();

  page_chips(theme, desk);
  const bool patching = desk.page == InterventionDesk::Page::patching;
  if (patching)
    ImGui::NewLine();
  else
    control_chips(theme, desk);
  if (heavy && !patching) {
    ImGui::SameLine(0, 14 * theme.scale);
    if (chip(theme, "run", desk.go, "This model's states are large: they are stepped beside it only while this is on."))
      desk.go = !desk.go;
  }
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const float s = theme.scale, gap = 14 * s;
  const float left = std::floor(std::clamp(space.x * 0.36F, 236 * s, 340 * s));
  if (patching) return draw_patching_page(context, desk, data);
  ImGui::BeginChild("changes", {left, space.y}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  draw_intervention_presets(context, desk, data);
  draw_intervention_list(context, desk, data);
  ImGui::EndChild();
  ImGui::SameLine(0, gap);
  ImGui::BeginChild("results", {space.x - left - gap, space.y}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  const std::string words = status(data);
  const float below = note_height(theme, words, ImGui::GetContentRegionAvail().x) + ImGui::GetStyle().ItemSpacing.y;
  ImGui::BeginChild("figures", {0, ImGui::GetContentRegionAvail().y - below}, ImGuiChildFlags_None,
                    ImGuiWindowFlags_NoScrollbar);
  if (desk.page == InterventionDesk::Page::tokens)
    draw_intervention_tokens(context, data);
  else
    draw_dose_page(context, desk, data);
  ImGui::EndChild();
  note(theme, words);
  ImGui::EndChild();
}

}  // namespace app
