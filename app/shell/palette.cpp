#include "app/shell/palette.h"

#include <imgui_stdlib.h>

#include <algorithm>

namespace app {
namespace {

constexpr ImGuiWindowFlags overlay_flags = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                                           ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoSavedSettings;

void place_overlay(const Theme& theme, float width, float height) {
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  const float s = theme.scale, gap = 16 * s;
  const float w = std::min(width * s, viewport.WorkSize.x - 2 * gap);
  const float h = std::min(height * s, viewport.WorkSize.y - 2 * gap);
  ImGui::SetNextWindowPos({viewport.WorkPos.x + (viewport.WorkSize.x - w) / 2,
                           viewport.WorkPos.y + std::max(gap, (viewport.WorkSize.y - h) * 0.25F)});
  ImGui::SetNextWindowSize({w, h});
  ImGui::PushStyleColor(ImGuiCol_WindowBg, ImGui::GetStyleColorVec4(ImGuiCol_PopupBg));
}

void draw_row_keys(const Theme& theme, const std::string& keys) {
  if (keys.empty()) return;
  ImGui::PushFont(theme.numbers, 0.0F);
  const float width = ImGui::CalcTextSize(keys.c_str()).x;
  ImGui::SameLine(ImGui::GetContentRegionMax().x - width);
  ImGui::TextColored(theme.faint, "%s", keys.c_str());
  ImGui::PopFont();
}

}  // namespace

void Palette::draw(PanelContext& context) {
  if (context.workspace.show_keys) draw_keys(context);
  if (context.workspace.show_palette)
    draw_palette(context);
  else
    was_open_ = false;
}

void Palette::draw_palette(PanelContext& context) {
  const bool opening = !was_open_;
  was_open_ = true;
  if (opening) {
    query_.clear();
    chosen_ = 0;
    actions_ = actions_of(context.workspace);
    ImGui::SetNextWindowFocus();
  }
  place_overlay(context.theme, 520, 400);
  ImGui::Begin("Find an action", nullptr, overlay_flags);
  ImGui::PopStyleColor();
  if (opening) ImGui::SetKeyboardFocusHere();
  ImGui::SetNextItemWidth(-1);
  const bool entered =
      ImGui::InputTextWithHint("##query", "Find an action", &query_, ImGuiInputTextFlags_EnterReturnsTrue);
  if (ImGui::IsItemEdited()) chosen_ = 0;
  const std::vector<UserAction> found = find_actions(actions_, query_);
  const int last = static_cast<int>(found.size()) - 1;
  const int before = chosen_;
  if (ImGui::IsKeyPressed(ImGuiKey_DownArrow)) ++chosen_;
  if (ImGui::IsKeyPressed(ImGuiKey_UpArrow)) --chosen_;
  chosen_ = std::clamp(chosen_, 0, std::max(0, last));

  const UserAction* run = entered && last >= 0 ? &found[static_cast<std::size_t>(chosen_)] : nullptr;
  ImGui::BeginChild("list");
  if (found.empty()) ImGui::TextColored(context.theme.secondary, "No action has all of these words in its name.");
  for (int i = 0; i <= last; ++i) {
    const UserAction& action = found[static_cast<std::size_t>(i)];
    if (ImGui::Selectable(action.name.c_str(), i == chosen_)) run = &action;
    if (i == chosen_ && chosen_ != before) ImGui::SetScrollHereY();
    draw_row_keys(context.theme, action.keys);
  }
  ImGui::EndChild();
  const bool focused = ImGui::IsWindowFocused(ImGuiFocusedFlags_RootAndChildWindows);
  ImGui::End();
  if (run != nullptr) {
    context.workspace.show_palette = false;
    run->run(context.workspace);
  } else if (!focused && !opening && ImGui::IsMouseClicked(ImGuiMouseButton_Left)) {
    context.workspace.show_palette = false;
  }
}

void Palette::draw_keys(PanelContext& context) {
  const std::vector<UserAction> actions = actions_of(context.workspace);
  const auto rows = static_cast<float>(
      std::count_if(actions.begin(), actions.end(), [](const UserAction& action) { return !action.keys.empty(); }));
  place_overlay(context.theme, 400, 44 + rows * 21);
  ImGui::Begin("Keys", nullptr, overlay_flags & ~ImGuiWindowFlags_NoScrollbar);
  ImGui::PopStyleColor();
  ImGui::PushFont(context.theme.bold, 0.0F);
  ImGui::TextUnformatted("Keys");
  ImGui::PopFont();
  ImGui::SameLine(ImGui::GetContentRegionMax().x - ImGui::CalcTextSize("Close").x -
                  2 * ImGui::GetStyle().FramePadding.x);
  if (ImGui::SmallButton("Close")) context.workspace.show_keys = false;
  for (const UserAction& action : actions) {
    if (action.keys.empty()) continue;
    ImGui::TextUnformatted(action.name.c_str());
    draw_row_keys(context.theme, action.keys);
  }
  ImGui::End();
}

}  // namespace app
