#include "app/panels/widgets.h"

#include <algorithm>
#include <string>

namespace app {

namespace {
// What a label shows: all before "##".
std::string_view shown(std::string_view label) { return label.substr(0, label.find("##")); }
ImVec2 size_of(std::string_view text) { return ImGui::CalcTextSize(text.data(), text.data() + text.size()); }
}  // namespace

void Flow::place(float width) {
  if (!first_) {
    const float right = ImGui::GetWindowPos().x + ImGui::GetContentRegionMax().x;
    if (ImGui::GetItemRectMax().x + gap_ + width <= right) ImGui::SameLine(0, gap_);
  }
  first_ = false;
}

void Flow::place_right(float width) {
  place(width);
  const float x = ImGui::GetContentRegionMax().x - width;
  if (x > ImGui::GetCursorPosX()) ImGui::SetCursorPosX(x);
}

float button_width(std::string_view label) { return size_of(shown(label)).x + 2 * ImGui::GetStyle().FramePadding.x; }

bool primary_button(const Theme& theme, const char* label) {
  const ImVec4 lit(std::min(1.0F, theme.accent_filled.x * 1.15F), std::min(1.0F, theme.accent_filled.y * 1.15F),
                   std::min(1.0F, theme.accent_filled.z * 1.15F), 1);
  ImGui::PushStyleColor(ImGuiCol_Button, theme.accent_filled);
  ImGui::PushStyleColor(ImGuiCol_ButtonHovered, lit);
  ImGui::PushStyleColor(ImGuiCol_ButtonActive, theme.accent);
  ImGui::PushStyleColor(ImGuiCol_Text, theme.light ? theme.text : theme.window);
  ImGui::PushFont(theme.bold, 0.0F);
  const bool clicked = ImGui::Button(label);
  ImGui::PopFont();
  ImGui::PopStyleColor(4);
  return clicked;
}

void chip(const Theme& theme, std::string_view text, const ImVec4& colour) {
  const ImVec2 size = size_of(text);
  const float pad = 7 * theme.scale, height = ImGui::GetTextLineHeight() + 4 * theme.scale;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImGui::Dummy({size.x + 2 * pad, height});
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, {at.x + size.x + 2 * pad, at.y + height}, packed(theme.well), 4 * theme.scale);
  list->AddRect(at, {at.x + size.x + 2 * pad, at.y + height}, packed(theme.border), 4 * theme.scale);
  list->AddText({at.x + pad, at.y + 2 * theme.scale}, packed(colour), text.data(), text.data() + text.size());
}

bool link(const Theme& theme, const char* label) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const std::string_view text = shown(label);
  const ImVec2 size = size_of(text);
  const bool clicked = ImGui::InvisibleButton(label, size);
  const bool hovered = ImGui::IsItemHovered();
  if (hovered) ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImU32 colour = packed(hovered ? theme.accent : theme.secondary);
  list->AddText(at, colour, text.data(), text.data() + text.size());
  list->AddLine({at.x, at.y + size.y}, {at.x + size.x, at.y + size.y}, packed(hovered ? theme.accent : theme.faint));
  return clicked;
}

void numbers(const Theme& theme, const ImVec4& colour, std::string_view text) {
  ImGui::PushFont(theme.numbers, 0.0F);
  ImGui::PushStyleColor(ImGuiCol_Text, colour);
  ImGui::TextUnformatted(text.data(), text.data() + text.size());
  ImGui::PopStyleColor();
  ImGui::PopFont();
}

void tooltip(std::string_view text) {
  if (!ImGui::IsItemHovered(ImGuiHoveredFlags_ForTooltip) || !ImGui::BeginTooltip()) return;
  ImGui::PushTextWrapPos(ImGui::GetFontSize() * 30);
  ImGui::TextUnformatted(text.data(), text.data() + text.size());
  ImGui::PopTextWrapPos();
  ImGui::EndTooltip();
}

}  // namespace app
