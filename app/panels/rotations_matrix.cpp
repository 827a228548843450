// The P x N state of the head as signed cells, and the table of what turns on this token.
#include "app/panels/parts.h"
#include "app/panels/picture.h"
#include "app/panels/plot.h"
#include "app/panels/rotations.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

// Signed cube-root-like compression would hide sizes: the scale is linear, and says its end.
void upload(Picture& picture, const Theme& theme, const StateMatrix& matrix) {
  std::vector<ImU32> pixels(matrix.values.size());
  const auto largest = static_cast<double>(matrix.largest);  // its inverse may not be a float
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = std::isfinite(matrix.values[i])
                    ? packed(diverging_colour(
                          theme, largest > 0 ? static_cast<float>(static_cast<double>(matrix.values[i]) / largest) : 0))
                    : packed(theme.error);
  }
  picture.set(matrix.columns, matrix.rows, pixels);
}

void value_legend(const Theme& theme, const StateMatrix& matrix) {
  push_small_numbers(theme);
  const std::string high = number_text(static_cast<double>(matrix.largest), 2), low = "−" + high;
  const float bar = 60 * theme.scale, gap = 4 * theme.scale, height = ImGui::GetTextLineHeight();
  const float before = ImGui::CalcTextSize(low.c_str()).x, after = ImGui::CalcTextSize(high.c_str()).x;
  const float width = before + bar + after + 2 * gap;
  ImGui::SameLine();
  if (ImGui::GetContentRegionAvail().x >= width) {
    align_right(width);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImDrawList* list = ImGui::GetWindowDrawList();
    list->AddText(at, packed(theme.faint), low.c_str());
    const ImVec2 from(at.x + before + gap, at.y + height * 0.22F);
    colour_bar(list, from, {from.x + bar, at.y + height * 0.74F}, signed_position, theme);
    list->AddText({from.x + bar + gap, at.y}, packed(theme.faint), high.c_str());
    ImGui::Dummy({width, height});
    ImGui::SetItemTooltip("Value of the state, linear, symmetric about zero.");
  } else {
    ImGui::NewLine();
  }
  ImGui::PopFont();
}

int pair_of_channel(const engine::ModelConfig& config, int channel) {
  return config.is_mimo ? channel % (config.d_state / 2) : channel / 2;
}

void matrix_mouse(PanelContext& context, const RotationsData& data) {
  if (!ImPlot::IsPlotHovered()) return;
  const StateMatrix& matrix = data.matrix;
  const engine::ModelConfig& config = data.snapshot->model->config();
  const ImPlotPoint mouse = ImPlot::GetPlotMousePos();
  const int n = static_cast<int>(std::floor(mouse.x + 0.5)), p = static_cast<int>(std::floor(mouse.y + 0.5));
  if (n < 0 || n >= matrix.columns || p < 0 || p >= matrix.rows) return;
  const int pair = pair_of_channel(config, n);
  const char* part = pair >= config.angles() ? "real" : n == config.pair_first(pair) ? "Re z" : "Im z";
  ImGui::BeginTooltip();
  ImGui::Text("row p %d, channel n %d (pair %d, %s)", p, n, pair, part);
  ImGui::Text("value %s",
              number_text(static_cast<double>(
                              matrix.values[static_cast<std::size_t>(p) * static_cast<std::size_t>(matrix.columns) +
                                            static_cast<std::size_t>(n)]))
                  .c_str());
  ImGui::EndTooltip();
  if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0) {
    context.workspace.selection.row = p;
    context.workspace.selection.pair = pair;
  }
}

Table matrix_table(const StateMatrix& matrix) {
  Table table{"state-matrix", {{"p", {}}, {"n", {}}, {"value", {}}}};
  for (int p = 0; p < matrix.rows; ++p) {
    for (int n = 0; n < matrix.columns; ++n) {
      table.columns[0].values.push_back(p);
      table.columns[1].values.push_back(n);
      table.columns[2].values.push_back(
          static_cast<double>(matrix.values[static_cast<std::size_t>(p) * static_cast<std::size_t>(matrix.columns) +
                                            static_cast<std::size_t>(n)]));
    }
  }
  return table;
}

}  // namespace

void draw_state_matrix(PanelContext& context, const RotationsData& data, ImVec2 size) {
  static Picture picture;
  const Theme& theme = context.theme;
  const StateMatrix& matrix = data.matrix;
  ImGui::BeginChild("matrix", size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  heading(theme,
          fmt::format("state H (P {} × N {}), {}{}", matrix.rows, matrix.columns,
                      data.selection.frame == Frame::unrotated ? "un-rotated: Re z, Im z" : "stored",
                      matrix.not_finite > 0 ? fmt::format(", {} not finite (red)", matrix.not_finite) : ""),
          "Each cell is one number of the head's state. Click one to look at its row and pair.");
  if (!matrix.values.empty()) value_legend(theme, matrix);
  if (matrix.values.empty()) {
    note(theme, "The matrix state of this token was not recorded.");
    ImGui::EndChild();
    return;
  }
  if (picture.stale(data.key, theme)) upload(picture, theme, matrix);
  const ImVec2 plot = ImGui::GetContentRegionAvail();
  if (begin_plot(context, "##matrix", plot, "channel n", "row p", ImPlotFlags_NoLegend, ImPlotAxisFlags_NoGridLines,
                 ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_Invert)) {
    const int rows = matrix.rows, columns = matrix.columns;
    follow_limits(-0.5, columns - 0.5, -0.5, rows - 0.5);
    ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
    ImPlot::SetupAxisFormat(ImAxis_Y1, whole_label);
    setup_few_rows(rows, plot.y);
    ImPlot::SetupFinish();
    picture.plot("state", {-0.5, -0.5}, {columns - 0.5, rows - 0.5});
    ImPlot::PushPlotClipRect();
    ImDrawList* list = ImPlot::GetPlotDrawList();
    const int row = data.selection.row;
    list->AddRect(ImPlot::PlotToPixels(-0.5, row - 0.5), ImPlot::PlotToPixels(columns - 0.5, row + 0.5),
                  packed(theme.text, 0.8F), 0, 0, theme.scale);
    const engine::ModelConfig& config = data.snapshot->model->config();
    for (const int channel : {config.pair_first(data.selection.pair), config.pair_second(data.selection.pair)}) {
      list->AddRect(ImPlot::PlotToPixels(channel - 0.5, -0.5), ImPlot::PlotToPixels(channel + 0.5, rows - 0.5),
                    packed(theme.accent, 0.7F), 0, 0, theme.scale);
    }
    ImPlot::PopPlotClipRect();
    matrix_mouse(context, data);
    end_plot(context, [&] { return matrix_table(matrix); });
  }
  ImGui::EndChild();
}

void draw_turn_table(PanelContext& context, const RotationsData& data, RotationsSettings& settings, ImVec2 size) {
  const Theme& theme = context.theme;
  ImGui::BeginChild("turns", size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  heading(
      theme, fmt::format("what turns on “{}”, token {}", token_text(*data.snapshot, data.index), data.index),
      "Δθ is the advance of the rotary angle, the state turns by -Δθ. Concentration: length of the mean of exp(iΔθ) "
      "over the window's tokens with this symbol; 1 where the symbol always turns the pair alike.");
  if (data.turns.empty()) {
    note(theme, data.index < 0 ? "No token yet." : "The coefficients of this token were not kept, or no pair turns.");
    ImGui::EndChild();
    return;
  }
  push_small(theme);
  const ImGuiTableFlags flags = ImGuiTableFlags_Sortable | ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_ScrollY |
                                ImGuiTableFlags_NoBordersInBody | ImGuiTableFlags_PadOuterX;
  // Whole rows only, so that no text is cut.
  const float row_height = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
  const ImVec2 free = ImGui::GetContentRegionAvail();
  const ImVec2 table_size(free.x, std::max(2.0F, std::floor(free.y / row_height)) * row_height);
  if (ImGui::BeginTable("##turn-table", 4, flags, table_size)) {
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("pair", ImGuiTableColumnFlags_PreferSortAscending, 0.8F);
    ImGui::TableSetupColumn("class", ImGuiTableColumnFlags_NoSort, 1.0F);
    ImGui::TableSetupColumn("Δθ rad", ImGuiTableColumnFlags_DefaultSort | ImGuiTableColumnFlags_PreferSortDescending,
                            1.0F);
    ImGui::TableSetupColumn("concentration", ImGuiTableColumnFlags_PreferSortDescending, 1.3F);
    ImGui::PushStyleColor(ImGuiCol_Text, theme.faint);
    ImGui::TableHeadersRow();
    ImGui::PopStyleColor();
    if (const ImGuiTableSortSpecs* specs = ImGui::TableGetSortSpecs(); specs != nullptr && specs->SpecsCount > 0) {
      const int column = specs->Specs[0].ColumnIndex;
      settings.order = column == 0 ? TurnOrder::pair : column == 2 ? TurnOrder::turn : TurnOrder::concentration;
      settings.descending = specs->Specs[0].SortDirection == ImGuiSortDirection_Descending;
    }
    std::vector<TurnRow> rows = data.turns;
    sort_turns(rows, settings.order, settings.descending);
    // A selection made elsewhere comes into view.
    static int shown_pair = -1;
    static std::int64_t shown_token = -1;
    if (shown_pair != data.selection.pair || shown_token != data.index) {
      const auto found =
          std::find_if(rows.begin(), rows.end(), [&](const TurnRow& r) { return r.pair == data.selection.pair; });
      const float height = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
      const auto at = static_cast<float>(found - rows.begin());
      if (found != rows.end()) ImGui::SetScrollY(std::max(0.0F, height * (at - 1)));
      shown_pair = data.selection.pair;
      shown_token = data.index;
    }
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(rows.size()));
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
        const TurnRow& row = rows[static_cast<std::size_t>(i)];
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        if (ImGui::Selectable(fmt::format("pair {}", row.pair).c_str(), row.pair == data.selection.pair,
                              ImGuiSelectableFlags_SpanAllColumns)) {
          context.workspace.selection.pair = row.pair;
        }
        ImGui::TableNextColumn();
        const bool clear = is_clear_turn(row.turn);
        ImGui::TextColored(clear ? theme.value : theme.faint, "%s", turn_label(row.turn).c_str());
        push_small_numbers(theme);
        ImGui::TableNextColumn();
        ImGui::Text("%8s",
                    std::abs(row.turn) < 1e3 ? fmt::format("{:.4f}", row.turn).c_str() : number_text(row.turn).c_str());
        ImGui::TableNextColumn();
        ImGui::Text("%6.3f", row.concentration);
        ImGui::SameLine();
        ImGui::TextColored(theme.faint, "n %d", row.tokens);
        ImGui::PopFont();
      }
    }
    ImGui::EndTable();
  }
  ImGui::PopFont();
  ImGui::EndChild();
  item_menu(context, "##turns-menu", [&] {
    Table table{"turns", {{"pair", {}}, {"dtheta (rad)", {}}, {"concentration", {}}, {"tokens", {}}}};
    for (const TurnRow& row : data.turns) {
      table.columns[0].values.push_back(row.pair);
      table.columns[1].values.push_back(row.turn);
      table.columns[2].values.push_back(row.concentration);
      table.columns[3].values.push_back(row.tokens);
    }
    return table;
  });
}

}  // namespace app
