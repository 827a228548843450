// Phase of every turning pair over tokens, in the cyclic colours; and what the head remembers, over the same tokens.
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

ImVec4 phase_of_position(const Theme&, float t) { return phase_colour((2 * t - 1) * static_cast<float>(pi)); }

// The legend of the phase colours at the right end of the heading's line.
void phase_legend(const Theme& theme) {
  push_small(theme);
  const float bar = 72 * theme.scale, gap = 4 * theme.scale, height = ImGui::GetTextLineHeight();
  const float low = ImGui::CalcTextSize("−π").x, high = ImGui::CalcTextSize("π").x;
  const float width = low + bar + high + 2 * gap;
  ImGui::SameLine();
  if (ImGui::GetContentRegionAvail().x >= width) {
    align_right(width);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImDrawList* list = ImGui::GetWindowDrawList();
    list->AddText(at, packed(theme.faint), "−π");
    const ImVec2 from(at.x + low + gap, at.y + height * 0.28F);
    colour_bar(list, from, {from.x + bar, at.y + height * 0.78F}, phase_of_position, theme);
    list->AddText({from.x + bar + gap, at.y}, packed(theme.faint), "π");
    ImGui::Dummy({width, height});
    ImGui::SetItemTooltip("Phase of z, radians: the same colours as the phasors.");
  } else {
    ImGui::NewLine();
  }
  ImGui::PopFont();
}

void upload(Picture& picture, const Theme& theme, const PhaseRaster& raster) {
  std::vector<ImU32> pixels(raster.phase.size());
  const ImU32 missing = packed(theme.well);
  std::vector<float> largest(static_cast<std::size_t>(raster.pairs));
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    float& row = largest[i / static_cast<std::size_t>(raster.tokens)];
    row = std::max(row, raster.magnitude[i]);
  }
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    if (!std::isfinite(raster.phase[i]) || raster.magnitude[i] == 0) {
      pixels[i] = std::isnan(raster.magnitude[i]) ? packed(theme.error) : missing;
      continue;
    }
    // A phasor that is small beside the same pair at other tokens has no phase worth a bright colour.
    const float row_largest = largest[i / static_cast<std::size_t>(raster.tokens)];
    const float share = row_largest > 0 ? raster.magnitude[i] / row_largest : 0;
    const float strength = std::min(1.0F, 0.3F + 1.4F * share);
    const ImVec4 c = phase_colour(raster.phase[i]);
    const ImVec4& w = theme.well;
    pixels[i] = packed({w.x + strength * (c.x - w.x), w.y + strength * (c.y - w.y), w.z + strength * (c.z - w.z), 1});
  }
  picture.set(raster.tokens, raster.pairs, pixels);
}

void cell_gaps(const Theme& theme, const PhaseRaster& raster) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const auto first = static_cast<double>(raster.first_token);
  const float cell_x = ImPlot::PlotToPixels(1, 0).x - ImPlot::PlotToPixels(0, 0).x;
  const float cell_y = std::abs(ImPlot::PlotToPixels(0, 1).y - ImPlot::PlotToPixels(0, 0).y);
  const ImU32 line = packed(theme.panel);
  const ImVec2 low = ImPlot::PlotToPixels(std::max(first - 0.5, limits.X.Min), -0.5);
  const ImVec2 high = ImPlot::PlotToPixels(std::min(first + raster.tokens - 0.5, limits.X.Max), raster.pairs - 0.5);
  if (cell_x >= 5) {
    for (int i = 0; i <= raster.tokens; ++i) {
      const float x = ImPlot::PlotToPixels(first + i - 0.5, 0).x;
      list->AddLine({x, low.y}, {x, high.y}, line, 1.0F);
    }
  }
  if (cell_y >= 5) {
    for (int i = 0; i <= raster.pairs; ++i) {
      const float y = ImPlot::PlotToPixels(0, i - 0.5).y;
      list->AddLine({low.x, y}, {high.x, y}, line, 1.0F);
    }
  }
}

Table raster_table(const PhaseRaster& raster) {
  Table table{"phase-raster", {{"token", {}}, {"pair", {}}, {"phase (rad)", {}}, {"magnitude", {}}}};
  for (int pair = 0; pair < raster.pairs; ++pair) {
    for (int t = 0; t < raster.tokens; ++t) {
      const auto at =
          static_cast<std::size_t>(pair) * static_cast<std::size_t>(raster.tokens) + static_cast<std::size_t>(t);
      table.columns[0].values.push_back(static_cast<double>(raster.first_token) + t);
      table.columns[1].values.push_back(pair);
      table.columns[2].values.push_back(static_cast<double>(raster.phase[at]));
      table.columns[3].values.push_back(static_cast<double>(raster.magnitude[at]));
    }
  }
  return table;
}

void outline_selected(const Theme& theme, const RotationsData& data) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const PhaseRaster& raster = data.raster;
  const auto first = static_cast<double>(raster.first_token);
  if (data.selection.pair < raster.pairs) {
    const ImVec2 low = ImPlot::PlotToPixels(first - 0.5, data.selection.pair - 0.5);
    const ImVec2 high = ImPlot::PlotToPixels(first + raster.tokens - 0.5, data.selection.pair + 0.5);
    const ImU32 mark = packed(theme.text);
    if (high.y - low.y >= 9 * theme.scale) {
      list->AddRect(low, high, mark, 0, 0, 1.4F * theme.scale);
    } else {
      // An outline would hide a row this low: arrows at both ends instead.
      const float y = (low.y + high.y) / 2, r = 5 * theme.scale;
      list->AddTriangleFilled({low.x, y - r}, {low.x + r, y}, {low.x, y + r}, mark);
      list->AddTriangleFilled({high.x, y - r}, {high.x - r, y}, {high.x, y + r}, mark);
    }
  }
  const auto token = static_cast<double>(data.index);
  list->AddRect(ImPlot::PlotToPixels(token - 0.5, -0.5), ImPlot::PlotToPixels(token + 0.5, raster.pairs - 0.5),
                packed(theme.accent), 0, 0, 1.2F * theme.scale);
}

void raster_mouse(PanelContext& context, const RotationsData& data) {
  if (!ImPlot::IsPlotHovered()) return;
  const PhaseRaster& raster = data.raster;
  const ImPlotPoint mouse = ImPlot::GetPlotMousePos();
  const int pair = static_cast<int>(std::floor(mouse.y + 0.5));
  const auto token = static_cast<std::int64_t>(std::floor(mouse.x + 0.5));
  const std::int64_t column = token - raster.first_token;
  if (pair < 0 || pair >= raster.pairs || column < 0 || column >= raster.tokens) return;
  const auto at =
      static_cast<std::size_t>(pair) * static_cast<std::size_t>(raster.tokens) + static_cast<std::size_t>(column);
  ImGui::BeginTooltip();
  ImGui::Text("pair %d, token %lld “%s”", pair, static_cast<long long>(token),
              token_text(*data.snapshot, token).c_str());
  if (std::isfinite(raster.phase[at])) {
    ImGui::Text("phase %s rad, |z| %s", number_text(static_cast<double>(raster.phase[at])).c_str(),
                number_text(static_cast<double>(raster.magnitude[at])).c_str());
  } else {
    ImGui::TextUnformatted(std::isnan(raster.magnitude[at]) ? "The state is not finite here: NaN or infinity."
                                                            : "The matrix state of this token was not recorded.");
  }
  ImGui::EndTooltip();
  if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0) {
    context.workspace.selection.pair = pair;
    context.workspace.select_token(token);
  }
}

}  // namespace

void draw_phase_raster(PanelContext& context, const RotationsData& data, ImVec2 size) {
  static Picture picture;
  const Theme& theme = context.theme;
  const PhaseRaster& raster = data.raster;
  ImGui::BeginChild("raster", size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  heading(theme,
          data.selection.frame == Frame::unrotated ? "phase of each pair over tokens"
                                                   : "stored phase of each pair over tokens",
          "Phase of z in the shown frame and row; faint where |z| is small for that pair, empty where the state was "
          "not recorded, red where it is not finite.");
  phase_legend(theme);
  if (raster.pairs == 0 || raster.recorded == 0) {
    note(theme, raster.pairs == 0 ? "No pair of this model turns." : "No matrix state of these tokens was recorded.");
    ImGui::EndChild();
    return;
  }
  if (picture.stale(data.key, theme)) upload(picture, theme, raster);
  const double first = static_cast<double>(raster.first_token) - 0.5, last = first + raster.tokens;
  const ImVec2 plot = ImGui::GetContentRegionAvail();
  if (begin_plot(context, "##raster", plot, "token", "pair", ImPlotFlags_NoLegend, ImPlotAxisFlags_NoGridLines,
                 ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_Invert)) {
    follow_limits(first, last, -0.5, raster.pairs - 0.5);
    ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
    ImPlot::SetupAxisFormat(ImAxis_Y1, whole_label);
    setup_few_rows(raster.pairs, plot.y);
    ImPlot::SetupFinish();
    picture.plot("phase", {first, -0.5}, {last, raster.pairs - 0.5});
    ImPlot::PushPlotClipRect();
    cell_gaps(theme, raster);
    outline_selected(theme, data);
    ImPlot::PopPlotClipRect();
    raster_mouse(context, data);
    end_plot(context, [&] { return raster_table(raster); });
  }
  ImGui::EndChild();
}

void draw_memory(PanelContext& context, const RotationsData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const MemoryView& memory = data.memory;
  ImGui::BeginChild("memory", size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  const double now = memory.half_life.empty() ? 0 : memory.half_life.back();
  heading(
      theme,
      fmt::format("turns of pair {} and memory: half-life {} tokens", data.selection.pair,
                  std::isinf(now) ? "∞" : number_text(now, 3)),
      "Left axis: product of α since the first shown token, the share of what was written there that is left. Right "
      "axis: accumulated phase of the selected pair in turns. Half-life at this token: ln 2 / (-A dt).");
  const double first = memory.token.empty() ? 0 : memory.token.front();
  const double last = std::max(first + 1, memory.token.empty() ? 1.0 : memory.token.back());
  double low = 0, high = 0;
  for (const double t : memory.turns) {
    if (!std::isfinite(t)) continue;
    low = std::min(low, t);
    high = std::max(high, t);
  }
  const double margin = std::max(0.08 * (high - low), 0.1);
  if (begin_plot(context, "##memory", ImGui::GetContentRegionAvail(), "token", "retained")) {
    ImPlot::SetupAxis(ImAxis_Y2, "turns", ImPlotAxisFlags_AuxDefault | ImPlotAxisFlags_NoHighlight);
    static ViewKey fitted;
    const ImPlotCond cond = fitted == data.key ? ImPlotCond_Once : ImPlotCond_Always;
    fitted = data.key;
    ImPlot::SetupAxesLimits(first - 0.5, last + 0.5, 0, 1.06, cond);
    ImPlot::SetupAxisLimits(ImAxis_Y2, low - margin, high + margin, cond);
    ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
    // The corner that the staircase leaves free.
    const bool rises = memory.turns.empty() || !(memory.turns.back() < 0);
    ImPlot::SetupLegend(rises ? ImPlotLocation_SouthEast : ImPlotLocation_SouthWest, ImPlotLegendFlags_Horizontal);
    const auto count = static_cast<int>(memory.token.size());
    ImPlot::PlotLine("α-envelope", memory.token.data(), memory.retained.data(), count, line_spec(theme.accent));
    ImPlot::SetAxes(ImAxis_X1, ImAxis_Y2);
    ImPlot::PlotStairs("turns", memory.token.data(), memory.turns.data(), count, line_spec(theme.value));
    ImPlot::SetAxes(ImAxis_X1, ImAxis_Y1);
    mark_x(theme, static_cast<double>(data.index));
    if (ImPlot::IsPlotHovered()) {
      const auto at = static_cast<std::int64_t>(std::lround(ImPlot::GetPlotMousePos().x - first));
      if (at >= 0 && at < count) {
        const auto i = static_cast<std::size_t>(at);
        ImGui::BeginTooltip();
        ImGui::Text("token %.0f “%s”", memory.token[i],
                    token_text(*data.snapshot, static_cast<std::int64_t>(memory.token[i])).c_str());
        ImGui::Text("retained %s of token %.0f", percent_text(memory.retained[i]).c_str(), first);
        ImGui::Text("turns %s, half-life %s tokens", number_text(memory.turns[i]).c_str(),
                    number_text(memory.half_life[i], 3).c_str());
        ImGui::EndTooltip();
      }
    }
    end_plot(context, [&] {
      return Table{"memory",
                   {{"token", memory.token},
                    {"retained", memory.retained},
                    {"turns", memory.turns},
                    {"half-life (tokens)", memory.half_life}}};
    });
  }
  ImGui::EndChild();
}

}  // namespace app
