#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"

#include <fmt/format.h>
#include <implot.h>
#include <implot_internal.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

void draw_bar_tooltip(const Document& document, const TimingBar& bar) {
  if (!ImGui::BeginTooltip()) return;
  const engine::Stage& stage = document.snapshot->plan->stages[static_cast<std::size_t>(bar.stage)];
  ImGui::TextUnformatted(kind_words(bar.kind));
  if (bar.layer >= 0) {
    ImGui::SameLine();
    ImGui::Text("of layer %d", bar.layer);
  }
  ImGui::Text("%s µs, %.1f KB read and written", three_digits(bar.duration_us).c_str(),
              static_cast<double>(stage.cost.bytes()) / 1024);
  if (bar.duration_us > 0)
    ImGui::Text("%s GB/s, %s GFLOP/s",
                three_digits(static_cast<double>(stage.cost.bytes()) / bar.duration_us / 1e3).c_str(),
                three_digits(static_cast<double>(stage.cost.flops) / bar.duration_us / 1e3).c_str());
  const std::string kernel = document.timings->kernel_name(bar.name);
  if (!kernel.empty()) ImGui::TextUnformatted(kernel.c_str());
  ImGui::EndTooltip();
}

void draw_bar_label(const Theme& theme, ImVec2 low, ImVec2 high, const TimingBar& bar) {
  ImGui::PushFont(theme.words, 12);
  const std::string with_time = fmt::format("{}  {} µs", kind_words(bar.kind), three_digits(bar.duration_us));
  const float space = high.x - low.x - 6 * theme.scale;
  const char* text = ImGui::CalcTextSize(with_time.c_str()).x <= space      ? with_time.c_str()
                     : ImGui::CalcTextSize(kind_words(bar.kind)).x <= space ? kind_words(bar.kind)
                                                                            : nullptr;
  if (text != nullptr && high.y - low.y >= ImGui::GetFontSize())
    ImPlot::GetPlotDrawList()->AddText(
        {low.x + 3 * theme.scale, std::floor((low.y + high.y - ImGui::GetFontSize()) / 2)}, IM_COL32(14, 17, 22, 255),
        text);
  ImGui::PopFont();
}

void draw_bars(PanelContext& context, const Document& document) {
  const TokenTimeline& timeline = document.timing_cache.timeline;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec2 mouse = ImGui::GetMousePos();
  const bool hovered = ImPlot::IsPlotHovered();
  const TimingBar* under_mouse = nullptr;
  for (std::size_t row = 0; row < timeline.rows.size(); ++row) {
    for (const TimingBar& bar : timeline.rows[row].bars) {
      const auto y = static_cast<double>(row);
      ImVec2 low = ImPlot::PlotToPixels(bar.start_us, y - 0.36);
      ImVec2 high = ImPlot::PlotToPixels(bar.start_us + bar.duration_us, y + 0.36);
      if (high.y < low.y) std::swap(low.y, high.y);
      high.x = std::max(high.x, low.x + 1);
      const bool chosen = context.workspace.selection.stage == bar.stage;
      list->AddRectFilled(low, {std::max(low.x + 1, high.x - 1), high.y}, packed(stage_colour(bar.kind)));
      if (chosen) list->AddRect(low, high, packed(context.theme.text), 0, 0, 2 * context.theme.scale);
      draw_bar_label(context.theme, low, high, bar);
      if (hovered && mouse.x >= low.x && mouse.x < high.x && mouse.y >= low.y && mouse.y < high.y) under_mouse = &bar;
    }
  }
  if (under_mouse == nullptr) return;
  draw_bar_tooltip(document, *under_mouse);
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) && &document == &context.workspace.document()) {
    context.workspace.selection.stage = under_mouse->stage;
    if (under_mouse->layer >= 0) context.workspace.selection.layer = under_mouse->layer;
  }
}

}  // namespace

double round_up(double value) {
  if (!(value > 0)) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0})
    if (value <= step * power) return step * power;
  return 10 * power;
}

void draw_timeline(PanelContext& context, Document& document, ImVec2 size, double most_us) {
  Workspace& workspace = context.workspace;
  const TokenTimeline& timeline = document.timing_cache.timeline;
  const auto rows = static_cast<int>(timeline.rows.size());
  if (rows == 0) return;
  // Where there is no room for the axis's name, each tick says its unit; the source stands above the plot as well.
  const bool named = size.y > 96 * context.theme.scale;
  const std::string axis = fmt::format("µs from the first stage of the row · {}", source_words(timeline.source));
  if (!ImPlot::BeginPlot("##timeline", size, ImPlotFlags_NoLegend | ImPlotFlags_NoMenus | ImPlotFlags_NoMouseText))
    return;
  ImPlot::SetupAxes(named ? axis.c_str() : nullptr, nullptr, ImPlotAxisFlags_NoHighlight,
                    ImPlotAxisFlags_Lock | ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks |
                        ImPlotAxisFlags_Invert | ImPlotAxisFlags_NoHighlight);
  if (!named) ImPlot::SetupAxisFormat(ImAxis_X1, "%g µs");
  std::vector<double> places;
  std::vector<const char*> labels;
  for (int row = 0; row < rows; ++row) {
    places.push_back(row);
    labels.push_back(timeline.rows[static_cast<std::size_t>(row)].label.c_str());
  }
  ImPlot::SetupAxisTicks(ImAxis_Y1, places.data(), rows, labels.data());
  ImPlot::SetupAxisLimits(ImAxis_Y1, -0.6, rows - 0.4, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_X1, 0, most_us, workspace.timings_zoomed ? ImPlotCond_Once : ImPlotCond_Always);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, 0, 1e9);
  ImPlot::SetupFinish();
  if (ImPlot::IsPlotHovered()) {
    const ImGuiIO& io = ImGui::GetIO();
    if (io.MouseWheel != 0 || ImGui::IsMouseDragging(ImGuiMouseButton_Left)) workspace.timings_zoomed = true;
    if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) workspace.timings_zoomed = false;
  }
  ImPlot::PushPlotClipRect();
  draw_bars(context, document);
  ImPlot::PopPlotClipRect();
  ImPlot::EndPlot();
}

}  // namespace app
