// The branches: a menu of them in the transport, and a bar that compares the current one with another.
#include "app/panels/branches.h"

#include "app/panels/parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/branch_comparison.h"
#include "app/viewmodel/in_force.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"
#include "app/viewmodel/view_key.h"

#include <fmt/format.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

namespace command = engine::command;
constexpr const char* icon_branch = "\uf126";
constexpr const char* icon_undo = "\uf2ea";
constexpr const char* icon_redo = "\uf2f9";
constexpr const char* icon_rename = "\uf303";
constexpr const char* icon_delete = "\uf2ed";

std::string tokens_words(std::size_t count) { return fmt::format("{} token{}", count, count == 1 ? "" : "s"); }

std::string origin_words(const engine::Snapshot& snapshot, const engine::BranchView& view) {
  if (const auto* parent = snapshot.find_branch(view.parent))
    return fmt::format("from {} at {}", parent->name, view.fork);
  return view.fork > 0 ? fmt::format("from a deleted branch at {}", view.fork) : std::string("from the beginning");
}

// Branches as a tree, parents before their children, with how deep each lies.
struct Place {
  const engine::BranchView* view;
  int depth;
};
void add_children(const engine::Snapshot& snapshot, int parent, int depth, std::vector<Place>& places) {
  for (const engine::BranchView& view : snapshot.branches) {
    if (view.parent != parent) continue;
    places.push_back({&view, depth});
    add_children(snapshot, view.id, depth + 1, places);
  }
}

void draw_rename(PanelContext& context, const engine::BranchView& view) {
  BranchSettings& settings = context.workspace.branches;
  if (settings.focus_name) ImGui::SetKeyboardFocusHere();
  settings.focus_name = false;
  ImGui::SetNextItemWidth(220 * context.theme.scale);
  const bool entered = ImGui::InputText("##name", &settings.name, ImGuiInputTextFlags_EnterReturnsTrue);
  if (!entered && !ImGui::IsItemDeactivated()) return;
  if (entered && !settings.name.empty() && settings.name != view.name)
    context.workspace.post(command::Rename{view.id, settings.name});
  settings.renamed = -1;
}

void draw_branch_row(PanelContext& context, const engine::Snapshot& snapshot, const Place& place) {
  const Theme& theme = context.theme;
  BranchSettings& settings = context.workspace.branches;
  const engine::BranchView& view = *place.view;
  const float s = theme.scale;
  ImGui::PushID(view.id);
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + static_cast<float>(std::min(place.depth, 8)) * 14 * s);
  if (settings.renamed == view.id) {
    draw_rename(context, view);
  } else {
    ImGui::AlignTextToFramePadding();
    const std::string label = fmt::format("{}{}###branch", place.depth > 0 ? "└ " : "", view.name);
    if (ImGui::Selectable(label.c_str(), view.id == snapshot.branch, ImGuiSelectableFlags_NoAutoClosePopups)) {
      context.workspace.selection.token = -1;
      context.workspace.post(command::SwitchTo{view.id});
    }
  }
  ImGui::TableNextColumn();
  ImGui::AlignTextToFramePadding();
  const std::string words =
      fmt::format("{}, {}{}", tokens_words(view.tokens.size()), origin_words(snapshot, view),
                  view.interventions.empty() ? "" : fmt::format(", Δ {} in force", view.interventions.size()));
  ImGui::TextColored(theme.secondary, "%s", words.c_str());
  if (!view.interventions.empty()) tooltip("Stepped under\n" + in_force_lines(view.interventions));
  ImGui::TableNextColumn();
  if (ImGui::Button(fmt::format("{}###rename", icon_rename).c_str())) {
    settings.renamed = view.id;
    settings.name = view.name;
    settings.focus_name = true;
  }
  tooltip("Give it another name.");
  ImGui::SameLine(0, 4 * s);
  ImGui::BeginDisabled(snapshot.branches.size() == 1);
  if (ImGui::Button(fmt::format("{}###delete", icon_delete).c_str()))
    context.workspace.post(command::DeleteBranch{view.id});
  ImGui::EndDisabled();
  tooltip("Delete it. Ctrl+Z brings it back.");
  ImGui::PopID();
}

void draw_branch_menu(PanelContext& context) {
  if (!ImGui::BeginPopup("branches")) {
    context.workspace.branches.renamed = -1;
    return;
  }
  const engine::Snapshot& snapshot = *context.workspace.document().snapshot;
  const float s = context.theme.scale;
  std::vector<Place> places;
  add_children(snapshot, -1, 0, places);
  if (ImGui::BeginTable("list", 3, ImGuiTableFlags_SizingFixedFit)) {
    ImGui::TableSetupColumn("name", ImGuiTableColumnFlags_WidthFixed, 240 * s);
    for (const Place& place : places) draw_branch_row(context, snapshot, place);
    ImGui::EndTable();
  }
  ImGui::Separator();
  if (ImGui::Button(fmt::format("Branch off after token {}###fork", snapshot.tokens.size()).c_str()))
    context.workspace.post(command::Fork{});
  tooltip("A new branch with what was consumed until here. This one keeps all its tokens.");
  ImGui::SameLine(0, 12 * s);
  ImGui::AlignTextToFramePadding();
  ImGui::TextColored(context.theme.secondary, "Editing a token in the strip begins one, too.");
  if (ImGui::IsKeyPressed(ImGuiKey_Escape, false)) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
}

// What the comparison says at the shown token, most important first.
struct Fact {
  std::string text;
  ImVec4 colour;
  std::string tip;
};

std::vector<Fact> facts_of(const Theme& theme, const engine::BranchView& other, const BranchComparison& comparison,
                           std::int64_t index, int layer) {
  std::vector<Fact> facts;
  facts.push_back({comparison.first_difference < 0
                       ? fmt::format("same {}", tokens_words(static_cast<std::size_t>(comparison.both)))
                       : fmt::format("same until {}", comparison.first_difference),
                   theme.secondary, fmt::format("How far the tokens of this branch and of {} agree.", other.name)});
  if (!comparison.there) {
    facts.push_back({fmt::format("no token {} there", index), theme.faint, other.name + " was not stepped so far."});
    return facts;
  }
  if (!comparison.predicted.empty() && !comparison.other_predicted.empty()) {
    const bool same = comparison.predicted == comparison.other_predicted;
    facts.push_back({same ? fmt::format("both → {}", comparison.predicted)
                          : fmt::format("→ {} there → {}", comparison.predicted, comparison.other_predicted),
                     same ? theme.secondary : theme.value,
                     fmt::format("What is predicted after token {}, here and on {}.", index, other.name)});
  }
  if (std::isfinite(comparison.kl_bits))
    facts.push_back(
        {fmt::format("KL {}{} bit", comparison.kl_whole ? "" : "≥ ", number_text(comparison.kl_bits, 2)),
         theme.secondary,
         fmt::format("KL divergence of what is predicted here from what {} predicts after token {}{}.", other.name,
                     index, comparison.kl_whole ? "" : ": a lower bound, from the best tokens of both")});
  if (std::isfinite(comparison.state_distance))
    facts.push_back({fmt::format("state {} %", number_text(100 * comparison.state_distance, 2)), theme.secondary,
                     fmt::format("|h - h'| / |h'| of layer {} after token {}, all heads; h' is that of {}.", layer,
                                 index, other.name)});
  if (!std::isfinite(comparison.kl_bits) || !std::isfinite(comparison.state_distance))
    facts.push_back({"not all recorded", theme.faint,
                     fmt::format("The history budget dropped what token {} held on one of the branches, or this layer "
                                 "was not watched. Going there on that branch brings it back.",
                                 index)});
  return facts;
}

void draw_comparison(PanelContext& context, const engine::Snapshot& snapshot, float room) {
  static ViewKey key;
  static std::vector<Fact> facts;
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  const engine::BranchView* other = branch_beside(snapshot, workspace.branches.compare_with);
  if (other == nullptr) return;
  const float s = theme.scale;
  const std::string label = shortened("beside " + other->name, 180 * s) + "###beside";
  const std::int64_t index = shown_index(snapshot, workspace.selection);
  const ViewKey now{&snapshot, snapshot.version, index, workspace.selection, 2 * other->id + (theme.light ? 1 : 0)};
  if (!(now == key)) {
    key = now;
    const int layer = clamped(snapshot.model->config(), workspace.selection).layer;
    facts.clear();
    if (index >= 0) facts = facts_of(theme, *other, compare_branch(snapshot, *other, index, layer), index, layer);
  }
  float width = chip_width(label.c_str()) + 8 * s;
  std::size_t shown = 0;
  while (shown < facts.size()) {
    const float more = ImGui::CalcTextSize(facts[shown].text.c_str()).x + 16 * s;
    if (width + more > room) break;
    width += more;
    ++shown;
  }
  align_right(width);
  if (chip(theme, label.c_str(), false, "The branch that this one is compared with: choose another one."))
    ImGui::OpenPopup("beside");
  for (std::size_t i = 0; i < shown; ++i) {
    ImGui::SameLine(0, (i == 0 ? 10 : 16) * s);
    ImGui::TextColored(facts[i].colour, "%s", facts[i].text.c_str());
    tooltip(facts[i].tip);
  }
  if (!ImGui::BeginPopup("beside")) return;
  for (const engine::BranchView& view : snapshot.branches) {
    if (view.id == snapshot.branch) continue;
    if (ImGui::MenuItem(fmt::format("{}###{}", view.name, view.id).c_str(), nullptr, &view == other))
      workspace.branches.compare_with = view.id;
  }
  ImGui::EndPopup();
}

}  // namespace

void draw_branch_controls(PanelContext& context, Flow& flow) {
  Workspace& workspace = context.workspace;
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  // Where there are several, the bar below names them: a name of any length here would move everything.
  const std::size_t count = snapshot.branches.size();
  const std::string words =
      fmt::format("{} {}", icon_branch,
                  count == 1 ? shortened(snapshot.branches[0].name, 60 * context.theme.scale) : std::to_string(count));
  flow.place(button_width(words));
  if (ImGui::Button((words + "###branches").c_str())) ImGui::OpenPopup("branches");
  tooltip("Branches: other tokens or other interventions from a point on, each kept beside the others.");
  draw_branch_menu(context);
  const bool failed = snapshot.mode == engine::SessionMode::failed;
  const auto button = [&](const char* icon, const char* id, const std::string& what, const char* verb, const char* key,
                          engine::Command command) {
    ImGui::BeginDisabled(what.empty() || failed);
    flow.place(button_width(icon));
    if (ImGui::Button(fmt::format("{}###{}", icon, id).c_str())) workspace.post(std::move(command));
    ImGui::EndDisabled();
    tooltip(what.empty() ? fmt::format("There is nothing to {}. {}", verb, key)
                         : fmt::format("{}: {}. {}", verb[0] == 'u' ? "Undo" : "Redo", what, key));
  };
  button(icon_undo, "undo", snapshot.undo, "undo", "Ctrl+Z", command::Undo{});
  button(icon_redo, "redo", snapshot.redo, "redo", "Ctrl+Shift+Z", command::Redo{});
}

void draw_branches(PanelContext& context) {
  Workspace& workspace = context.workspace;
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  const Theme& theme = context.theme;
  const float s = theme.scale, whole = ImGui::GetContentRegionAvail().x, start = ImGui::GetCursorPosX();
  // Chips from left to right, the current one always among them.
  float left = 0.45F * whole;
  std::size_t hidden = 0;
  for (const engine::BranchView& view : snapshot.branches) {
    const std::string name = shortened(view.name, 120 * s);
    const std::string label =
        fmt::format("{}{} · {}###{}", view.interventions.empty() ? "" : "Δ ", name, view.tokens.size(), view.id);
    const float width = chip_width(label.c_str()) + 6 * s;
    const bool current = view.id == snapshot.branch;
    if (!current && width > left) {
      ++hidden;
      continue;
    }
    left -= width;
    const std::string tip = fmt::format(
        "{}: {}, {}{}. Click to go there.", view.name, tokens_words(view.tokens.size()), origin_words(snapshot, view),
        view.interventions.empty() ? "" : ", under " + in_force_words(view.interventions));
    if (chip(theme, label.c_str(), current, tip.c_str()) && !current) {
      workspace.selection.token = -1;
      workspace.post(command::SwitchTo{view.id});
    }
    ImGui::SameLine(0, 6 * s);
  }
  if (hidden > 0) {
    ImGui::TextColored(theme.faint, "+%zu", hidden);
    tooltip("More branches are in the menu of the transport.");
    ImGui::SameLine(0, 6 * s);
  }
  draw_comparison(context, snapshot, whole - (ImGui::GetCursorPosX() - start));
}

}  // namespace app
