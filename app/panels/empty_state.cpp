#include "app/panels/empty_state.h"

#include "app/viewmodel/shown.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace app {
namespace {

void centred(std::string_view text, const ImVec4& colour, float width) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  const float wrap = std::min(width, 420.0F * ImGui::GetStyle().FontScaleMain);
  const float start = ImGui::GetCursorPosX();
  ImGui::PushStyleColor(ImGuiCol_Text, colour);
  const ImVec2 size = ImGui::CalcTextSize(begin, end, false, wrap);
  ImGui::SetCursorPosX(start + std::max(0.0F, (width - size.x) / 2));
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + wrap);
  ImGui::TextUnformatted(begin, end);
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
}

}  // namespace

bool draw_empty_state(const Theme& theme, std::string_view sentence, std::string_view reason, std::string_view action) {
  if (sentence.empty() && reason.empty() && action.empty()) return false;
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const float line = ImGui::GetTextLineHeightWithSpacing();
  const float height =
      line * (reason.empty() || sentence.empty() ? 1.0F : 2.2F) + (action.empty() ? 0.0F : 1.6F * line);
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + std::max(0.0F, (space.y - height) / 2));
  if (!sentence.empty()) {
    ImGui::PushFont(theme.bold, 0.0F);
    centred(sentence, theme.text, space.x);
    ImGui::PopFont();
  }
  if (!reason.empty()) centred(reason, theme.secondary, space.x);
  if (action.empty()) return false;
  const std::string label(action);
  const float width = ImGui::CalcTextSize(label.c_str()).x + 2 * ImGui::GetStyle().FramePadding.x;
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, (space.x - width) / 2));
  return ImGui::Button(label.c_str());
}

bool draw_prefilled(const Theme& theme, Workspace& workspace, const engine::Snapshot& snapshot, std::int64_t index) {
  const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(index)];
  if (!record.skipped) return false;
  if (draw_empty_state(theme, "Nothing was recorded of this token", prefilled_words(record), "Go there (G)")) {
    workspace.selection.token = -1;
    workspace.post(engine::command::Seek{index + 1});
  }
  return true;
}

bool draw_without_states(const Theme& theme, Workspace& workspace, const engine::Snapshot& snapshot, int layer) {
  if (workspace.document().replay == nullptr) return false;
  const std::int64_t index = shown_index(snapshot, workspace.selection);
  const auto holds = [&](std::int64_t i) {
    const auto& state = snapshot.tokens[static_cast<std::size_t>(i)]->state;
    if (state == nullptr) return false;
    const auto& layers = state->layers;
    if (layer >= 0)
      return static_cast<std::size_t>(layer) < layers.size() && !layers[static_cast<std::size_t>(layer)].ssm.empty();
    return std::any_of(layers.begin(), layers.end(), [](const auto& each) { return !each.ssm.empty(); });
  };
  const auto count = static_cast<std::int64_t>(snapshot.tokens.size());
  std::int64_t nearest = -1;
  for (std::int64_t i = 0; i < count; ++i)
    if (holds(i) && (nearest < 0 || std::abs(i - index) < std::abs(nearest - index))) nearest = i;
  const std::string what = layer >= 0 ? fmt::format("matrix state of layer {}", layer) : std::string("matrix states");
  const std::string words =
      nearest < 0 ? fmt::format(
                        "The recording holds the {} of none of the tokens up to here. What is kept was chosen when "
                        "it was made (record --states).",
                        what)
                  : fmt::format(
                        "The recording holds the {} of some tokens; the nearest is token {}. What is kept was "
                        "chosen when it was made (record --states).",
                        what, nearest);
  const std::string go = nearest < 0 ? std::string() : fmt::format("Show token {}", nearest);
  if (draw_empty_state(theme, fmt::format("No {} recorded of token {}", what, index), words, go))
    workspace.select_token(nearest);
  return true;
}

}  // namespace app
