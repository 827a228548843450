// Accuracy up to told lengths, measured here and recorded at training.
#include "app/panels/accuracy.h"
#include "app/panels/parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace app {

namespace {

float row_height(const Theme& theme) { return std::floor(ImGui::GetTextLineHeight() + 5 * theme.scale); }

// The curve's colour and shape.
void draw_swatch(const Theme& theme, int index) {
  const float r = ImGui::GetTextLineHeight() * 0.26F;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const ImVec2 c(at.x + 2 * r, at.y + ImGui::GetTextLineHeight() / 2);
  const ImU32 colour = ImGui::GetColorU32(series_colour(theme, index));
  ImDrawList* list = ImGui::GetWindowDrawList();
  switch (series_marker(index)) {
    case ImPlotMarker_Square:
      list->AddRectFilled({c.x - r, c.y - r}, {c.x + r, c.y + r}, colour);
      break;
    case ImPlotMarker_Diamond:
      list->AddQuadFilled({c.x, c.y - 1.3F * r}, {c.x + 1.3F * r, c.y}, {c.x, c.y + 1.3F * r}, {c.x - 1.3F * r, c.y},
                          colour);
      break;
    case ImPlotMarker_Up:
      list->AddTriangleFilled({c.x - r, c.y + r}, {c.x + r, c.y + r}, {c.x, c.y - r}, colour);
      break;
    case ImPlotMarker_Down:
      list->AddTriangleFilled({c.x - r, c.y - r}, {c.x + r, c.y - r}, {c.x, c.y + r}, colour);
      break;
    case ImPlotMarker_Left:
      list->AddTriangleFilled({c.x - r, c.y}, {c.x + r, c.y - r}, {c.x + r, c.y + r}, colour);
      break;
    default:
      list->AddCircleFilled(c, r, colour);
  }
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + 4 * r + 6 * theme.scale);
}

// The model's name and, where there is room, what sets it apart; a click hides or shows its curve.
void draw_name(PanelContext& context, const AccuracySeries& series, int index) {
  const Theme& theme = context.theme;
  std::set<std::string>& hidden_names = context.workspace.accuracy.hidden;
  const bool hidden = hidden_names.count(series.name) != 0;
  const ImVec2 at = ImGui::GetCursorPos();
  const float width = ImGui::GetContentRegionAvail().x;
  ImGui::PushID(index);
  const bool clicked = ImGui::InvisibleButton("##series", {std::max(width, 1.0F), ImGui::GetTextLineHeight()});
  ImGui::PopID();
  if (clicked && hidden)
    hidden_names.erase(series.name);
  else if (clicked)
    hidden_names.insert(series.name);
  const bool hovered = ImGui::IsItemHovered();
  tooltip(fmt::format("{}{}. Click to {} its curve.", series.name, series.variant.empty() ? "" : ": " + series.variant,
                      hidden ? "show" : "hide"));
  ImGui::SetCursorPos(at);
  ImGui::PushStyleVar(ImGuiStyleVar_Alpha, hidden ? 0.4F : 1.0F);
  draw_swatch(theme, index);
  ImGui::TextColored(hovered ? theme.accent : theme.text, "%s",
                     shortened(series.name, ImGui::GetContentRegionAvail().x).c_str());
  const float used = ImGui::GetItemRectMax().x - ImGui::GetWindowPos().x;
  const float room = at.x + width - used - 8 * theme.scale;
  if (!series.variant.empty() && room > 40 * theme.scale) {
    ImGui::SameLine(0, 8 * theme.scale);
    ImGui::TextColored(theme.secondary, "%s", shortened(series.variant, room).c_str());
  }
  ImGui::PopStyleVar();
}

void right_aligned(float width) {
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, ImGui::GetContentRegionAvail().x - width));
}

void draw_cell(const Theme& theme, const AccuracyData& data, const AccuracyCell& cell, int decimals) {
  const bool measured = std::isfinite(cell.value), recorded = std::isfinite(cell.recorded);
  const std::string value = measured ? share_text(cell.value, decimals) : "–";
  const std::string beside = recorded ? fmt::format("({})", share_text(cell.recorded, decimals)) : "";
  // Outside the interval by more than the digits that are shown.
  const double slack = 0.5 * std::pow(10.0, -decimals);
  const bool apart =
      measured && recorded && (cell.recorded < cell.interval.low - slack || cell.recorded > cell.interval.high + slack);
  push_small_numbers(theme);
  const float room = ImGui::CalcTextSize(decimals > 1 ? "(100.00)" : "(100.0)").x, gap = 4 * theme.scale;
  right_aligned(ImGui::CalcTextSize(value.c_str()).x + gap + room);
  ImGui::BeginGroup();
  ImGui::TextColored(apart ? theme.warning : measured ? theme.text : theme.faint, "%s", value.c_str());
  ImGui::SameLine(0, gap);
  ImGui::TextColored(theme.secondary, "%s", beside.empty() ? " " : beside.c_str());
  ImGui::EndGroup();
  ImGui::PopFont();
  std::string tip =
      measured ? fmt::format(
                     "Of n = {} labels at positions 1 to {} {} were answered right: {} %, "
                     "95 % interval {} to {} %, each sequence one observation.",
                     count_text(cell.counts.labelled), cell.length, count_text(cell.counts.right),
                     share_text(cell.value, 4), share_text(cell.interval.low, 2), share_text(cell.interval.high, 2))
      : cell.length > data.report->choice.length
          ? fmt::format("Not measured: the sequences have {} tokens. Choose a length of {}.",
                        data.report->choice.length, cell.length)
          : "No label was asked up to here yet.";
  tip += recorded ? fmt::format(" Recorded at training: {} %.", share_text(cell.recorded, 4))
                  : " The model's card records no figure for this length.";
  if (apart) tip += " The recorded figure lies outside the interval.";
  tooltip(tip);
}

}  // namespace

std::string share_text(double percent, int decimals) {
  if (!std::isfinite(percent)) return "–";
  const double unit = std::pow(10.0, -decimals);
  double shown = std::round(percent / unit) * unit;
  if (percent < 100 && shown >= 100) shown = 100 - unit;
  // + 0.0 makes a negative zero positive.
  if (std::abs(shown) < unit / 2) shown = 0.0;
  return fmt::format("{:.{}f}", shown, percent == 100 ? std::min(decimals, 1) : decimals);
}

float accuracy_table_height(const Theme& theme, const AccuracyData& data) {
  return row_height(theme) * static_cast<float>(data.series.size() + 1) + 2 * theme.scale;
}

void draw_accuracy_table(PanelContext& context, const AccuracyData& data, float height) {
  const Theme& theme = context.theme;
  const float width = ImGui::GetContentRegionAvail().x;
  const int decimals = width > 660 * theme.scale ? 2 : 1;
  push_small_numbers(theme);
  const float column = ImGui::CalcTextSize(decimals > 1 ? "100.00 (100.00)" : "100.0 (100.0)").x + 6 * theme.scale;
  ImGui::PopFont();
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(4 * theme.scale, 2.5F * theme.scale));
  constexpr ImGuiTableFlags flags =
      ImGuiTableFlags_ScrollY | ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_NoPadOuterX | ImGuiTableFlags_RowBg;
  if (ImGui::BeginTable("##lengths", 1 + static_cast<int>(accuracy_lengths.size()), flags, {width, height})) {
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("model", ImGuiTableColumnFlags_WidthStretch);
    for (const int length : accuracy_lengths)
      ImGui::TableSetupColumn(fmt::format("{}", length).c_str(), ImGuiTableColumnFlags_WidthFixed, column);
    ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
    ImGui::TableNextColumn();
    ImGui::TextColored(theme.secondary, "up to length");
    ImGui::SetItemTooltip("All labelled positions up to this length together: measured, and (recorded at training).");
    for (const int length : accuracy_lengths) {
      ImGui::TableNextColumn();
      push_small_numbers(theme);
      const std::string text = count_text(length);
      right_aligned(ImGui::CalcTextSize(text.c_str()).x + 4 * theme.scale +
                    ImGui::CalcTextSize(decimals > 1 ? "(100.00)" : "(100.0)").x);
      ImGui::TextColored(theme.secondary, "%s", text.c_str());
      ImGui::PopFont();
    }
    for (std::size_t i = 0; i < data.series.size(); ++i) {
      const AccuracySeries& series = data.series[i];
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      draw_name(context, series, static_cast<int>(i));
      for (const AccuracyCell& cell : series.row) {
        ImGui::TableNextColumn();
        draw_cell(theme, data, cell, decimals);
      }
    }
    ImGui::EndTable();
  }
  ImGui::PopStyleVar();
}

}  // namespace app
