// What lies over the whole state's picture: borders of heads and layers, their names, numbers in large cells, and the
// shared selection.
#include "app/panels/parts.h"
#include "app/panels/state.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>
#include <implot.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

struct Visible {
  int first_head = 0, last_head = -1, first_layer = 0, last_layer = -1;
};

Visible visible_heads(const StateData& data) {
  const StateTexture& t = data.texture;
  const auto inside = [](double at, int count) { return std::clamp(static_cast<int>(std::floor(at)), 0, count - 1); };
  return {inside(data.view.left, t.heads), inside(data.view.right, t.heads), inside(data.view.top, t.layers),
          inside(data.view.bottom, t.layers)};
}

ImVec2 at(double x, double y) { return ImPlot::PlotToPixels(x, y); }

void borders(const Theme& theme, const StateData& data, const Visible& seen, ImVec2 head) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImU32 line = packed(theme.panel);
  const float weight = std::max(1.0F, std::floor(theme.scale));
  const StateTexture& t = data.texture;
  if (head.x >= 5) {
    for (int h = seen.first_head; h <= seen.last_head + 1; ++h)
      list->AddLine(at(h, std::max(0.0, data.view.top)), at(h, std::min<double>(t.layers, data.view.bottom)), line,
                    weight);
  }
  if (head.y >= 5) {
    for (int l = seen.first_layer; l <= seen.last_layer + 1; ++l)
      list->AddLine(at(std::max(0.0, data.view.left), l), at(std::min<double>(t.heads, data.view.right), l), line,
                    weight);
  }
}

// Lines between cells, where they are large enough to be told apart.
void cell_lines(const Theme& theme, const StateData& data, const Visible& seen, ImVec2 head) {
  const StateTexture& t = data.texture;
  const float width = head.x / static_cast<float>(t.d_state), height = head.y / static_cast<float>(t.headdim);
  if (width < 9 * theme.scale || height < 9 * theme.scale) return;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImU32 line = packed(theme.panel, 0.55F);
  const int n0 = std::max(0, static_cast<int>(data.view.left * t.d_state)),
            n1 = std::min(t.heads * t.d_state, static_cast<int>(data.view.right * t.d_state) + 1);
  const int p0 = std::max(0, static_cast<int>(data.view.top * t.headdim)),
            p1 = std::min(t.layers * t.headdim, static_cast<int>(data.view.bottom * t.headdim) + 1);
  const double top = seen.first_layer, bottom = seen.last_layer + 1.0;
  const double left = seen.first_head, right = seen.last_head + 1.0;
  for (int n = n0; n <= n1; ++n)
    list->AddLine(at(static_cast<double>(n) / t.d_state, top), at(static_cast<double>(n) / t.d_state, bottom), line);
  for (int p = p0; p <= p1; ++p)
    list->AddLine(at(left, static_cast<double>(p) / t.headdim), at(right, static_cast<double>(p) / t.headdim), line);
}

void cell_numbers(const Theme& theme, const StateData& data, const StateSettings& settings, ImVec2 head) {
  const StateTexture& t = data.texture;
  const float width = head.x / static_cast<float>(t.d_state), height = head.y / static_cast<float>(t.headdim);
  const float size = small_size(theme);
  if (width < 4.2F * size || height < 1.5F * size) return;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const int n0 = std::max(0, static_cast<int>(data.view.left * t.d_state)),
            n1 = std::min(t.heads * t.d_state - 1, static_cast<int>(data.view.right * t.d_state));
  const int p0 = std::max(0, static_cast<int>(data.view.top * t.headdim)),
            p1 = std::min(t.layers * t.headdim - 1, static_cast<int>(data.view.bottom * t.headdim));
  for (int p = p0; p <= p1; ++p) {
    for (int n = n0; n <= n1; ++n) {
      const double x = (n + 0.5) / t.d_state, y = (p + 0.5) / t.headdim;
      StatePlace place;
      if (!state_place(t, x, y, place) || !place.exact) continue;
      const double value =
          static_cast<double>(settings.quantity == StateQuantity::signed_largest ? place.value : place.rms);
      const std::string text = number_text(value, 3);
      const float wide = theme.numbers->CalcTextSizeA(size, 1e9F, 0, text.c_str()).x;
      if (wide > width - 4) continue;
      const ImVec4 under = state_colour(theme, settings, scale_position(value, data.limit, settings.logarithmic));
      const float light = 0.3F * under.x + 0.59F * under.y + 0.11F * under.z;
      const ImVec4 ink = light > 0.45F ? ImVec4(0.05F, 0.07F, 0.09F, 1) : ImVec4(1, 1, 1, 0.92F);
      const ImVec2 middle = at(x, y);
      list->AddText(theme.numbers, size, {std::floor(middle.x - wide / 2), std::floor(middle.y - size / 2)},
                    packed(ink), text.c_str());
    }
  }
}

// "L 3 H 12" in the visible upper left corner of each head that has room for it.
void names(const Theme& theme, const Visible& seen, ImVec2 head) {
  const float size = small_size(theme) * 0.95F, pad = 3 * theme.scale;
  if (head.x < 62 * theme.scale || head.y < 2.4F * size) return;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec2 corner = ImPlot::GetPlotPos();
  const ImVec2 end(corner.x + ImPlot::GetPlotSize().x, corner.y + ImPlot::GetPlotSize().y);
  for (int l = seen.first_layer; l <= seen.last_layer; ++l) {
    for (int h = seen.first_head; h <= seen.last_head; ++h) {
      const std::string text = fmt::format("L{} H{}", l, h);
      const float wide = theme.numbers->CalcTextSizeA(size, 1e9F, 0, text.c_str()).x;
      const ImVec2 low = at(h, l), high = at(h + 1, l + 1);
      const ImVec2 from(std::max(low.x, corner.x) + pad, std::max(low.y, corner.y) + pad);
      // Where only a strip of the head is seen, its name would lie over its neighbour.
      if (from.x + wide + pad > std::min(high.x, end.x) || from.y + size + pad > std::min(high.y, end.y)) continue;
      list->AddRectFilled({from.x - 2, from.y - 1}, {from.x + wide + 3, from.y + size + 1}, packed(theme.panel, 0.78F),
                          2 * theme.scale);
      list->AddText(theme.numbers, size, from, packed(theme.text), text.c_str());
    }
  }
}

void outline(const Theme& theme, ImVec2 low, ImVec2 high, ImU32 colour, float weight) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  list->AddRect({low.x - weight, low.y - weight}, {high.x + weight, high.y + weight}, packed(theme.window, 0.9F), 0, 0,
                weight + 1);
  list->AddRect(low, high, colour, 0, 0, weight);
}

void selected(const Theme& theme, const StateData& data, const Selection& selection, ImVec2 head) {
  const StateTexture& t = data.texture;
  const engine::ModelConfig& config = data.snapshot->model->config();
  const int l = selection.layer, h = selection.head;
  if (l >= t.layers || h >= t.heads) return;
  const float width = head.x / static_cast<float>(t.d_state), height = head.y / static_cast<float>(t.headdim);
  if (width >= 3 && height >= 3 && selection.pair < t.d_state / 2 && selection.row < t.headdim) {
    for (const int n : {config.pair_first(selection.pair), config.pair_second(selection.pair)}) {
      const double x = h + static_cast<double>(n) / t.d_state;
      ImPlot::GetPlotDrawList()->AddRect(at(x, l), at(x + 1.0 / t.d_state, l + 1), packed(theme.accent, 0.85F), 0, 0,
                                         theme.scale);
    }
    const double y = l + static_cast<double>(selection.row) / t.headdim;
    ImPlot::GetPlotDrawList()->AddRect(at(h, y), at(h + 1, y + 1.0 / t.headdim), packed(theme.text, 0.8F), 0, 0,
                                       theme.scale);
  }
  outline(theme, at(h, l), at(h + 1, l + 1), packed(theme.text), 1.6F * theme.scale);
}

}  // namespace

ImVec2 state_head_pixels(const StateData& data) {
  const ImVec2 size = data.shown.x > 0 && data.shown.y > 0 ? data.shown : ImVec2(1, 1);
  const double wide = std::max(data.view.right - data.view.left, 1e-9);
  const double tall = std::max(data.view.bottom - data.view.top, 1e-9);
  return {static_cast<float>(size.x / wide), static_cast<float>(size.y / tall)};
}

void draw_state_marks(const Theme& theme, const StateData& data, const StateSettings& settings,
                      const Selection& selection) {
  const ImVec2 head = state_head_pixels(data);
  const Visible seen = visible_heads(data);
  cell_lines(theme, data, seen, head);
  borders(theme, data, seen, head);
  cell_numbers(theme, data, settings, head);
  selected(theme, data, selection, head);
  names(theme, seen, head);
}

}  // namespace app
