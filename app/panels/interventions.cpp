// The interventions panel: a list of changes to the step, of the branch itself or beside it, and what they do to the model
// beside random changes of the same size.
#include "app/panels/interventions.h"

#include "app/panels/empty_state.h"
#include "app/panels/parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/in_force.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"
#include "engine/intervention/no_effect.h"
#include "engine/recording/recording.h"

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
  page("patching", Page::patching, "Parts of the state of another text, branch or recording in this one, one by one.");
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
      "rotation", Kind::rotation,
      "At every token each head's angles advance by a random change, as large over the pairs as the counterfactual's.");
}

// Below the figures: what was compared, or why there is nothing.
std::string status(const InterventionData& data) {
  const InterventionRunReport& run = *data.run;
  if (run.error || run.settings.list.empty()) return {};  // the empty state says it
  std::string out = starts_from_words(run.settings.base);
  const bool whole = !run.running && run.tokens.size() == data.snapshot->tokens.size();
  const bool none = whole && std::all_of(run.tokens.begin(), run.tokens.end(),
                                         [](const auto& token) { return engine::same_as_first(*token, 1); });
  for (const std::string& words : engine::without_effect(run.settings.list, data.model->config(),
                                                         static_cast<std::int64_t>(run.tokens.size()), none))
    if (none) return out + words;  // the first says enough; each row says its own
  return out + fmt::format("{} of {} tokens{} in {} ms. Effect, not error: nothing here is the truth.",
                           run.tokens.size(), data.snapshot->tokens.size(), run.running ? "..." : "",
                           number_text(run.ms, 2));
}

constexpr double patient_ms = 300;  // what takes no longer needs no progress

// Whether a run over the tokens takes its time, or was ended before its end.
bool shows_progress(const InterventionRunReport& run) {
  return run.of > 0 && ((run.running && run.ms > patient_ms) || (run.cancelled && run.tokens.size() < run.of));
}

// How far it is, and a way to end it and to go on.
void draw_progress(const Theme& theme, InterventionDesk& desk, const InterventionRunReport& run) {
  const char* label = run.cancelled ? "Go on" : "Cancel";
  const float gap = 8 * theme.scale;
  const float width = std::max(40 * theme.scale, ImGui::GetContentRegionAvail().x - button_width(label) - gap);
  const std::string words =
      fmt::format("{}{} of {} tokens", run.cancelled ? "cancelled after " : "", run.tokens.size(), run.of);
  ImGui::ProgressBar(static_cast<float>(run.done()), {width, ImGui::GetFrameHeight()}, words.c_str());
  ImGui::SameLine(0, gap);
  if (ImGui::Button(label)) run.cancelled ? desk.follower->go_on() : desk.follower->cancel();
  tooltip(run.cancelled ? "Steps the tokens that are left."
                        : "Ends it within a token. What was stepped stays; another list begins anew.");
}

// What the list is for: changes that run beside the branch, or those that the branch itself is stepped under.
void use_chips(const Theme& theme, InterventionDesk& desk, const InterventionData& data) {
  using Use = InterventionDesk::Use;
  const Interventions& own = desk.in_force;
  if (chip(theme, "beside the branch", desk.use == Use::beside,
           "What would be: the list runs beside the branch and leaves it as it is."))
    desk.use = Use::beside;
  ImGui::SameLine(0, 4 * theme.scale);
  const std::string label = own.empty() ? "in force###in-force" : fmt::format("in force · {}###in-force", own.size());
  const std::string tip =
      own.empty()
          ? fmt::format("{} is stepped as the model is. Changes that are added here step it again.", data.branch_name())
          : fmt::format("{} is stepped under\n{}", data.branch_name(), in_force_lines(own));
  if (chip(theme, label.c_str(), desk.use == Use::branch, tip.c_str())) desk.use = Use::branch;
}

// The session's own list is ahead of the snapshot for the moment that it takes to be applied.
void follow_session(InterventionDesk& desk, const engine::Snapshot& snapshot) {
  if (desk.in_force_seen == snapshot.interventions && snapshot.notice.empty()) return;
  desk.in_force = desk.in_force_seen = snapshot.interventions;
}

InterventionEditing editing_of(Workspace& workspace, InterventionDesk& desk, const engine::Snapshot& snapshot) {
  InterventionEditing editing;
  if (desk.use == InterventionDesk::Use::branch) {
    editing.list = desk.in_force;
    editing.undo = snapshot.undo.empty() ? "" : "Undo " + snapshot.undo + " (Ctrl+Z)";
    editing.redo = snapshot.redo.empty() ? "" : "Redo " + snapshot.redo;
    editing.set = [&](Interventions next, unsigned) {
      desk.in_force = next;
      workspace.post(engine::command::Intervene{std::move(next)});
    };
    editing.take_back = [&] { workspace.post(engine::command::Undo{}); };
    editing.do_again = [&] { workspace.post(engine::command::Redo{}); };
    return editing;
  }
  editing.list = desk.list.now();
  editing.undo = desk.list.can_undo() ? "The list as it was before." : "";
  editing.redo = desk.list.can_redo() ? "The list as it was before the undo." : "";
  editing.set = [&](Interventions next, unsigned gesture) { desk.list.edit(std::move(next), gesture); };
  editing.take_back = [&] { desk.list.undo(); };
  editing.do_again = [&] { desk.list.redo(); };
  return editing;
}

// Of recorded tokens: what they were stepped under, and that nothing can be stepped.
void draw_recorded_interventions(PanelContext& context, const Document& document) {
  const Interventions& list = document.snapshot->interventions;
  const std::string& model = document.replay->info().model;
  draw_empty_state(context.theme,
                   list.empty() ? "Recorded without interventions" : "Recorded under " + in_force_words(list),
                   fmt::format("{}{}A recording has no weights to step with: open {} itself to change something.",
                               list.size() > 1 ? in_force_lines(list) : "", list.size() > 1 ? "\n" : "", model));
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
  if (document.replay) return draw_recorded_interventions(context, document);
  if (!document.interventions) return;  // the shell makes it in the next frame
  InterventionDesk& desk = *document.interventions;
  follow_session(desk, *snapshot);
  if (!desk.follower) desk.follower = std::make_unique<InterventionFollower>(desk.model, desk.backend);
  std::vector<std::int32_t> ids;
  ids.reserve(snapshot->tokens.size());
  for (const auto& record : snapshot->tokens) ids.push_back(record->id);
  InterventionData data{snapshot.get(), document.model.get(), nullptr, shown_index(*snapshot, workspace.selection)};
  const bool heavy = snapshot->backend.state_bytes > followed_by_itself;
  if (!heavy || desk.go) desk.follower->want(desk.settings(snapshot->interventions), ids);
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
  use_chips(theme, desk, data);
  InterventionEditing editing = editing_of(workspace, desk, *snapshot);
  draw_intervention_presets(context, editing, data);
  const bool beside = desk.use == InterventionDesk::Use::beside;
  draw_intervention_list(context, editing, data, beside ? step_button_height(theme) : 0);
  if (beside) draw_step_with_these(context, desk, data);
  ImGui::EndChild();
  ImGui::SameLine(0, gap);
  ImGui::BeginChild("results", {space.x - left - gap, space.y}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  const std::string words = status(data);
  const float spacing = ImGui::GetStyle().ItemSpacing.y;
  const bool progress = shows_progress(*data.run);
  const float below = (words.empty() ? 0 : note_height(theme, words, ImGui::GetContentRegionAvail().x) + spacing) +
                      (progress ? ImGui::GetFrameHeight() + spacing : 0);
  ImGui::BeginChild("figures", {0, ImGui::GetContentRegionAvail().y - below}, ImGuiChildFlags_None,
                    ImGuiWindowFlags_NoScrollbar);
  if (desk.page == InterventionDesk::Page::tokens)
    draw_intervention_tokens(context, data);
  else
    draw_dose_page(context, desk, data);
  ImGui::EndChild();
  if (progress) draw_progress(theme, desk, *data.run);
  if (!words.empty()) note(theme, words);
  ImGui::EndChild();
}

}  // namespace app
