#include "app/panels/token_editor.h"

#include "app/panels/widgets.h"
#include "app/viewmodel/prompt_text.h"

#include <fmt/format.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <utility>

namespace app {
namespace {

namespace command = engine::command;

std::int32_t token_at(const engine::Snapshot& snapshot, std::int64_t position) {
  const auto at = static_cast<std::size_t>(position);
  const std::size_t consumed = snapshot.tokens.size();
  if (at < consumed) return snapshot.tokens[at]->id;
  return at - consumed < snapshot.pending.size() ? snapshot.pending[at - consumed] : -1;
}

// True when it was sent.
bool send(PanelContext& context, std::int32_t id) {
  context.workspace.post(command::EditToken{context.workspace.branches.edited, id});
  return true;
}

// A button for every symbol, in rows.
bool draw_symbols(PanelContext& context, const engine::Model& model, std::int32_t now) {
  const float s = context.theme.scale;
  Flow flow(4 * s);
  bool done = false;
  for (std::size_t i = 0; i < model.card.symbols.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    const float width = std::max(34 * s, button_width(model.card.symbols[i]));
    flow.place(width);
    ImGui::BeginDisabled(id == now);
    if (ImGui::Button(fmt::format("{}###symbol{}", model.card.symbols[i], i).c_str(), {width, 0}))
      done = send(context, id);
    ImGui::EndDisabled();
  }
  return done;
}

bool draw_text_field(PanelContext& context, const engine::Model& model, bool opening) {
  BranchSettings& settings = context.workspace.branches;
  if (opening) ImGui::SetKeyboardFocusHere();
  ImGui::SetNextItemWidth(200 * context.theme.scale);
  const bool entered = ImGui::InputText("##token", &settings.token, ImGuiInputTextFlags_EnterReturnsTrue);
  ImGui::SameLine(0, 6 * context.theme.scale);
  if (!primary_button(context.theme, "Put it there") && !entered) return false;
  const auto ids = read_prompt(model, settings.token);
  if (!ids) {
    settings.error = ids.error().message;
  } else if (ids->size() != 1) {
    settings.error = fmt::format("This is {} tokens; give one.", ids->size());
  } else {
    return send(context, ids->front());
  }
  return false;
}

}  // namespace

void edit_token(Workspace& workspace, std::int64_t position) {
  workspace.branches.edited = position;
  workspace.branches.edit = true;
}

void draw_token_editor(PanelContext& context) {
  BranchSettings& settings = context.workspace.branches;
  const engine::Snapshot& snapshot = *context.workspace.document().snapshot;
  const engine::Model& model = *snapshot.model;
  const bool opening = std::exchange(settings.edit, false);
  if (opening) {
    const std::int32_t id = token_at(snapshot, settings.edited);
    settings.token = id < 0 ? "" : write_prompt(model, {id});
    settings.error.clear();
    ImGui::OpenPopup("Edit token");
  }
  ImGui::SetNextWindowSizeConstraints({0, 0}, {420 * context.theme.scale, 1e6F});
  if (!ImGui::BeginPopup("Edit token")) return;
  const std::int32_t now = token_at(snapshot, settings.edited);
  const bool stepped = settings.edited < snapshot.furthest;
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + 380 * context.theme.scale);
  ImGui::TextColored(context.theme.secondary,
                     stepped ? "Token %lld is \"%s\". Another one begins a new branch, with the same tokens behind it."
                             : "Token %lld to come is \"%s\".",
                     static_cast<long long>(settings.edited), now < 0 ? "" : model.symbol(now).c_str());
  constexpr std::size_t most_buttons = 64;
  const bool buttons = !model.card.symbols.empty() && model.card.symbols.size() <= most_buttons && !model.card.bytes;
  const bool done = buttons ? draw_symbols(context, model, now) : draw_text_field(context, model, opening);
  if (!settings.error.empty()) ImGui::TextColored(context.theme.error, "\uf071 %s", settings.error.c_str());
  ImGui::PopTextWrapPos();
  if (done || ImGui::IsKeyPressed(ImGuiKey_Escape, false)) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
}

void draw_token_menu(PanelContext& context, std::int64_t position, bool consumed) {
  if (!ImGui::BeginPopupContextItem("menu")) return;
  Workspace& workspace = context.workspace;
  if (ImGui::MenuItem("Put another token here…###edit")) edit_token(workspace, position);
  if (ImGui::MenuItem(consumed ? "Go back to after this token###seek" : "Go on to after this token###seek")) {
    workspace.selection.token = -1;
    workspace.post(command::Seek{position + 1});
  }
  if (ImGui::MenuItem("Branch off after this token###fork")) {
    workspace.selection.token = -1;
    workspace.post(command::Fork{"", position + 1, {}});
  }
  ImGui::EndPopup();
}

}  // namespace app
