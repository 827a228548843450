// Layers by heads as a grid, coloured by a chosen quantity at the shown token: where in the model the other views look.
#include "app/panels/empty_state.h"
#include "app/panels/panels.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/viewmodel/layer_head_map.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"
#include "app/viewmodel/view_key.h"
#include "app/wiring/first_focus.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

void choose_quantity(const Theme& theme, MapQuantity& quantity, float width) {
  push_small(theme);
  ImGui::SetNextItemWidth(width);
  const auto label = [](const QuantityInfo& info) { return fmt::format("{}  {}", info.symbol, info.name); };
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(7 * theme.scale, 2 * theme.scale));
  if (ImGui::BeginCombo("##quantity", label(info_of(quantity)).c_str())) {
    for (int i = 0; i < map_quantity_count; ++i) {
      const auto candidate = static_cast<MapQuantity>(i);
      if (ImGui::Selectable(label(info_of(candidate)).c_str(), candidate == quantity)) quantity = candidate;
      ImGui::SetItemTooltip("%s", info_of(candidate).meaning);
    }
    ImGui::EndCombo();
  }
  ImGui::PopStyleVar();
  ImGui::SetItemTooltip("%s", info_of(quantity).meaning);
  ImGui::PopFont();
}

// Without decay a half-life is infinite: a value, not a fault.
std::string value_text(double value) { return std::isinf(value) ? (value > 0 ? "∞" : "−∞") : number_text(value, 3); }

std::string with_unit(double value, const QuantityInfo& info) {
  return info.unit[0] == '\0' ? value_text(value) : value_text(value) + " " + info.unit;
}

void draw_scale(const Theme& theme, const LayerHeadMap& map, const QuantityInfo& info) {
  push_small_numbers(theme);
  const std::string low = number_text(map.low, 3), high = with_unit(map.high, info);
  const float gap = 6 * theme.scale, height = ImGui::GetTextLineHeight();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float space = ImGui::GetContentRegionAvail().x;
  const float before = ImGui::CalcTextSize(low.c_str()).x, after = ImGui::CalcTextSize(high.c_str()).x;
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddText(at, packed(theme.secondary), low.c_str());
  const float from = at.x + before + gap, to = std::max(from + 4, at.x + space - after - gap);
  colour_bar(list, {from, at.y + height * 0.22F}, {to, at.y + height * 0.78F}, magnitude_position, theme);
  list->AddText({to + gap, at.y}, packed(theme.secondary), high.c_str());
  ImGui::Dummy({space, height});
  ImGui::SetItemTooltip("%s%s", info.meaning, map.logarithmic ? " Logarithmic colours." : "");
  ImGui::PopFont();
}

struct Grid {
  ImVec2 origin, cell;
  float gap = 1;
};

void draw_axes(const Theme& theme, const LayerHeadMap& map, const Grid& grid) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float size = small_size(theme) * 0.92F;
  const auto every = [&](float cell, float wanted) { return std::max(1, static_cast<int>(std::ceil(wanted / cell))); };
  const auto nice = [](int n) { return n <= 1 ? 1 : n <= 2 ? 2 : n <= 4 ? 4 : n <= 8 ? 8 : n <= 16 ? 16 : 32; };
  const int layer_step = nice(every(grid.cell.y, size * 1.3F)), head_step = nice(every(grid.cell.x, size * 2.0F));
  for (int layer = 0; layer < map.layers; layer += layer_step) {
    const std::string text = std::to_string(layer);
    const float width = theme.numbers->CalcTextSizeA(size, 1e9F, 0, text.c_str()).x;
    list->AddText(theme.numbers, size,
                  {grid.origin.x - width - 5 * theme.scale,
                   grid.origin.y + (static_cast<float>(layer) + 0.5F) * grid.cell.y - size * 0.55F},
                  packed(theme.faint), text.c_str());
  }
  for (int head = 0; head < map.heads; head += head_step) {
    const std::string text = std::to_string(head);
    const float width = theme.numbers->CalcTextSizeA(size, 1e9F, 0, text.c_str()).x;
    list->AddText(
        theme.numbers, size,
        {grid.origin.x + (static_cast<float>(head) + 0.5F) * grid.cell.x - width / 2, grid.origin.y - size * 1.15F},
        packed(theme.faint), text.c_str());
  }
}

void tooltip(const engine::Snapshot& snapshot, const LayerHeadMap& map, const QuantityInfo& info, std::int64_t index,
             int layer, int head) {
  const float value = map.values[static_cast<std::size_t>(layer) * static_cast<std::size_t>(map.heads) +
                                 static_cast<std::size_t>(head)];
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::StepCoefficients& step = snapshot.tokens[static_cast<std::size_t>(index)]->coefficients;
  ImGui::BeginTooltip();
  ImGui::Text("layer %d, head %d, token %lld", layer, head, static_cast<long long>(index));
  if (!std::isnan(value)) {
    ImGui::Text("%s %s = %s", info.name, info.symbol, with_unit(static_cast<double>(value), info).c_str());
  } else {
    ImGui::Text("%s: not known at this token", info.name);
  }
  ImGui::TextDisabled("dt %s, α %s, λ %s", number_text(per_head(config, step.dt, layer, head), 3).c_str(),
                      number_text(per_head(config, step.alpha, layer, head), 4).c_str(),
                      number_text(per_head(config, step.lambda, layer, head), 3).c_str());
  ImGui::EndTooltip();
}

// The number itself where the cell has room for it, in ink that its colour carries.
void draw_cell_value(const Theme& theme, ImDrawList* list, ImVec2 low, ImVec2 high, float value, float t) {
  const float size = small_size(theme);
  if (high.x - low.x < 34 * theme.scale || high.y - low.y < 1.5F * size) return;
  const std::string text = value_text(static_cast<double>(value));
  const float width = theme.numbers->CalcTextSizeA(size, 1e9F, 0, text.c_str()).x;
  if (width > high.x - low.x - 6 * theme.scale) return;
  const ImVec4 ink = std::isnan(t) ? theme.secondary
                     : t > 0.55F   ? ImVec4(0.05F, 0.07F, 0.09F, 1)
                                   : ImVec4(1, 1, 1, 0.92F);
  list->AddText(theme.numbers, size,
                {std::floor((low.x + high.x - width) / 2), std::floor((low.y + high.y - size) / 2)}, packed(ink),
                text.c_str());
}

void draw_grid(PanelContext& context, const engine::Snapshot& snapshot, const LayerHeadMap& map,
               const QuantityInfo& info, std::int64_t index, float bottom) {
  const Theme& theme = context.theme;
  Selection& selection = context.workspace.selection;
  const float size = small_size(theme);
  const ImVec2 start = ImGui::GetCursorScreenPos();
  const ImVec2 space(ImGui::GetContentRegionAvail().x, std::max(ImGui::GetContentRegionAvail().y - bottom, 24.0F));
  const ImVec2 margin(size * 1.7F, size * 2.25F);
  // A small model's cells share the space, up to a size at which they are still cells.
  Grid grid;
  grid.cell.x = std::clamp((space.x - margin.x) / static_cast<float>(map.heads), 1.0F, 150 * theme.scale);
  grid.cell.y = std::clamp((space.y - margin.y) / static_cast<float>(map.layers), 1.0F,
                           std::max(40 * theme.scale, std::min(grid.cell.x * 2.4F, 150 * theme.scale)));
  // Whole pixels keep the gaps even; a grid that is finer than that fills the space as it is.
  if (grid.cell.x >= 4) grid.cell.x = std::floor(grid.cell.x);
  if (grid.cell.y >= 4) grid.cell.y = std::floor(grid.cell.y);
  grid.gap = std::min(grid.cell.x, grid.cell.y) >= 4 ? std::max(1.0F, std::floor(theme.scale)) : 0;
  grid.origin = {std::floor(start.x + margin.x), std::floor(start.y + margin.y)};

  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddText(theme.words, size * 0.95F, start, packed(theme.faint), "layer");
  list->AddText(theme.words, size * 0.95F, {grid.origin.x + size * 1.4F, start.y}, packed(theme.faint), "head");
  draw_axes(theme, map, grid);
  std::size_t at = 0;
  for (int layer = 0; layer < map.layers; ++layer) {
    for (int head = 0; head < map.heads; ++head, ++at) {
      const ImVec2 low(grid.origin.x + static_cast<float>(head) * grid.cell.x,
                       grid.origin.y + static_cast<float>(layer) * grid.cell.y);
      const float t = map.position(map.values[at]);
      const ImVec2 high(low.x + grid.cell.x - grid.gap, low.y + grid.cell.y - grid.gap);
      list->AddRectFilled(low, high, std::isnan(t) ? packed(theme.well) : packed(sequential_colour(t)));
      draw_cell_value(theme, list, low, high, map.values[at], t);
    }
  }
  const ImVec2 low(grid.origin.x + static_cast<float>(selection.head) * grid.cell.x - 1,
                   grid.origin.y + static_cast<float>(selection.layer) * grid.cell.y - 1);
  const ImVec2 high(low.x + grid.cell.x + 2 - grid.gap, low.y + grid.cell.y + 2 - grid.gap);
  list->AddRect({low.x - 1, low.y - 1}, {high.x + 1, high.y + 1}, packed(theme.window), 0, 0, 3 * theme.scale);
  list->AddRect(low, high, packed(theme.text), 0, 0, 1.8F * theme.scale);

  const ImVec2 extent(grid.cell.x * static_cast<float>(map.heads), grid.cell.y * static_cast<float>(map.layers));
  ImGui::SetCursorScreenPos(grid.origin);
  ImGui::InvisibleButton("##cells", {std::max(extent.x, 1.0F), std::max(extent.y, 1.0F)});
  if (ImGui::IsItemHovered()) {
    const ImVec2 mouse = ImGui::GetMousePos();
    const int head = std::clamp(static_cast<int>((mouse.x - grid.origin.x) / grid.cell.x), 0, map.heads - 1);
    const int layer = std::clamp(static_cast<int>((mouse.y - grid.origin.y) / grid.cell.y), 0, map.layers - 1);
    tooltip(snapshot, map, info, index, layer, head);
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) {
      if (selection.layer != layer) context.workspace.post(engine::command::Watch{layer});
      selection.layer = layer;
      selection.head = head;
    }
  }
  item_menu(context, "##map-menu", [&] {
    Table table{"model-map", {{"layer", {}}, {"head", {}}, {fmt::format("{} {}", info.name, info.unit), {}}}};
    auto value = map.values.begin();
    for (int layer = 0; layer < map.layers; ++layer) {
      for (int head = 0; head < map.heads; ++head) {
        table.columns[0].values.push_back(layer);
        table.columns[1].values.push_back(head);
        table.columns[2].values.push_back(static_cast<double>(*value++));
      }
    }
    return table;
  });
}

}  // namespace

void draw_model_map(PanelContext& context) {
  static MapQuantity quantity = MapQuantity::state_change;
  static ViewKey key;
  static LayerHeadMap map;
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  keep_first_focus(workspace);
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  if (snapshot.empty()) {
    if (draw_empty_state(
            theme, "No token yet",
            fmt::format("{} layer{} × {} heads wait for the first step.", snapshot.model->config().n_layer,
                        snapshot.model->config().n_layer == 1 ? "" : "s", snapshot.model->config().heads()),
            "Step")) {
      workspace.post(engine::command::Step{});
    }
    return;
  }
  // A low panel has the scale beside the choice instead of below the map.
  const ImVec2 panel = ImGui::GetContentRegionAvail();
  const bool low = panel.y < 150 * theme.scale && panel.x > 240 * theme.scale;
  choose_quantity(theme, quantity, low ? std::floor(panel.x * 0.54F) : std::min(panel.x, 190 * theme.scale));
  const std::int64_t index = shown_index(snapshot, workspace.selection);
  const ViewKey now{&snapshot, snapshot.version, index, workspace.selection, static_cast<int>(quantity)};
  if (!(now == key)) {
    map = make_layer_head_map(snapshot, index, quantity, workspace.selection.frame);
    key = now;
  }
  const QuantityInfo& info = info_of(quantity);
  const float spacing = ImGui::GetStyle().ItemSpacing.y;
  const float scale_height = small_size(theme) * 1.2F + spacing;
  const auto scale = [&] {
    if (map.any)
      draw_scale(theme, map, info);
    else
      note(theme, fmt::format("{} was not kept at this token.", info.name));
  };
  if (low) {
    ImGui::SameLine(0, 10 * theme.scale);
    scale();
  }
  draw_grid(context, snapshot, map, info, index, low ? 0 : scale_height + spacing);
  if (low) return;
  // The scale lies below the grid, at the bottom where that fills the panel.
  const float rest = ImGui::GetContentRegionAvail().y - scale_height;
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + std::max(0.0F, std::min(rest, 6 * theme.scale)));
  scale();
}

}  // namespace app
