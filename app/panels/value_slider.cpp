#include "app/panels/value_slider.h"

#include "app/panels/parts.h"

#include <algorithm>
#include <cmath>

namespace app {

bool framed_slider(const Theme& theme, float width, float share, const char* tip, const std::function<bool()>& slider) {
  push_small(theme);
  const ImVec2 usual = ImGui::GetStyle().FramePadding;
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding,
                      ImVec2(std::floor(usual.x * 0.85F), std::max(1.0F, std::floor(usual.y * 0.4F))));
  // The value is a filled share of the frame below the words, with a line at its foot: a grab would cover them.
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const ImVec2 end(at.x + width, at.y + ImGui::GetFrameHeight());
  const float filled = std::floor(at.x + width * std::clamp(share, 0.0F, 1.0F)), radius = 4 * theme.scale;
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, end, packed(theme.well), radius);
  list->PushClipRect(at, {filled, end.y}, true);
  list->AddRectFilled(at, end, packed(theme.accent_filled, theme.light ? 0.45F : 0.26F), radius);
  list->PopClipRect();
  list->PushClipRect({at.x, end.y - std::floor(2 * theme.scale)}, {filled, end.y}, true);
  list->AddRectFilled(at, end, packed(theme.accent), radius);
  list->PopClipRect();

  const ImVec4 none(0, 0, 0, 0);
  ImGui::PushStyleVar(ImGuiStyleVar_GrabMinSize, theme.scale);
  ImGui::PushStyleColor(ImGuiCol_Text, theme.text);
  for (const ImGuiCol role : {ImGuiCol_FrameBg, ImGuiCol_FrameBgHovered, ImGuiCol_FrameBgActive, ImGuiCol_SliderGrab,
                              ImGuiCol_SliderGrabActive})
    ImGui::PushStyleColor(role, none);
  ImGui::SetNextItemWidth(width);
  const bool changed = slider();
  const bool touched = ImGui::IsItemHovered() || ImGui::IsItemActive();
  ImGui::PopStyleColor(6);
  ImGui::PopStyleVar(2);
  ImGui::PopFont();
  if (touched) list->AddRect(at, end, packed(theme.secondary), radius);
  ImGui::SetItemTooltip("%s Drag, or Ctrl+click to type.", tip);
  return changed;
}

bool value_slider(const Theme& theme, const char* id, double* value, SliderRange range, const char* format, float width,
                  const char* tip) {
  const double share = range.logarithmic
                           ? std::log(std::max(*value, range.low) / range.low) / std::log(range.high / range.low)
                           : (*value - range.low) / (range.high - range.low);
  const ImGuiSliderFlags flags =
      ImGuiSliderFlags_AlwaysClamp | (range.logarithmic ? ImGuiSliderFlags_Logarithmic : ImGuiSliderFlags_None);
  return framed_slider(theme, width, static_cast<float>(share), tip, [&] {
    return ImGui::SliderScalar(id, ImGuiDataType_Double, value, &range.low, &range.high, format, flags);
  });
}

}  // namespace app
