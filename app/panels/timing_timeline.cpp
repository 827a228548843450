#include "app/panels/plot.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>
#include <implot.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

void draw_bar_tooltip(const Document& document, const TimingBar& bar) {
  if (!ImGui::BeginTooltip()) return;
  const engine::Stage& stage = document.plan().stages[static_cast<std::size_t>(bar.stage)];
  const std::string place = bar.layer >= 0 ? fmt::format(" of layer {}", bar.layer) : std::string();
  ImGui::Text("%s%s · %s, token %lld", kind_words(bar.kind), place.c_str(), document.name.c_str(),
              static_cast<long long>(document.timing_cache.timeline.token));
  ImGui::Text("%s µs, %s read and written", three_digits(bar.duration_us).c_str(),
              bytes_text(stage.cost.bytes()).c_str());
  if (bar.duration_us > 0)
    ImGui::Text("%s GB/s, %s GFLOP/s",
                three_digits(static_cast<double>(stage.cost.bytes()) / bar.duration_us / 1e3).c_str(),
                three_digits(static_cast<double>(stage.cost.flops) / bar.duration_us / 1e3).c_str());
  const std::string kernel = document.timings->kernel_name(bar.name);
  if (!kernel.empty()) ImGui::TextUnformatted(kernel.c_str());
  if (const char* note = note_on(bar.kind); *note != '\0') {
    ImGui::PushTextWrapPos(ImGui::GetFontSize() * 30);
    ImGui::TextDisabled("It %s", note);
    ImGui::PopTextWrapPos();
  }
  ImGui::TextDisabled("%s", source_words(document.timing_cache.timeline.source));
  ImGui::EndTooltip();
}

void draw_bars(PanelContext& context, Document& document) {
  const TokenTimeline& timeline = document.timing_cache.timeline;
  const SampleStrip& strip = samples_below(document);
  // Samples take the lower half of a row.
  const double bars_end = strip.empty() ? 0.36 : -0.02;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec2 mouse = ImGui::GetMousePos();
  const bool hovered = ImPlot::IsPlotHovered();
  const bool active = &document == &context.workspace.document();
  Selection& selection = context.workspace.selection;
  const TimingBar* under_mouse = nullptr;
  for (std::size_t row = 0; row < timeline.rows.size(); ++row) {
    const auto y = static_cast<double>(row);
    if (const TimingRow& of = timeline.rows[row]; !strip.empty() && !of.bars.empty()) {
      ImVec2 low = ImPlot::PlotToPixels(0.0, y + 0.02), high = ImPlot::PlotToPixels(of.length_us, y + 0.42);
      if (high.y < low.y) std::swap(low.y, high.y);
      draw_samples(context.theme, list, strip, {low, high, of.offset_us, of.offset_us + of.length_us});
      if (strip.apart && row == 0) name_samples(context.theme, list, strip, low, high);
      if (hovered && mouse.x >= low.x && mouse.x < high.x && mouse.y >= low.y && mouse.y < high.y)
        draw_samples_tooltip(strip, of.offset_us + ImPlot::PixelsToPlot(mouse).x);
    }
    const std::vector<TimingBar>& bars = timeline.rows[row].bars;
    for (std::size_t b = 0; b < bars.size(); ++b) {
      const TimingBar& bar = bars[b];
      ImVec2 low = ImPlot::PlotToPixels(bar.start_us, y - (strip.empty() ? 0.36 : 0.42));
      ImVec2 high = ImPlot::PlotToPixels(bar.start_us + bar.duration_us, y + bars_end);
      if (high.y < low.y) std::swap(low.y, high.y);
      high.x = std::max(high.x, low.x + 1);
      fill_kind(context.theme, list, low, {std::max(low.x + 1, high.x - 1), high.y}, bar.kind, selection.stage_kind);
      // The next one may begin before this one ends, and lies above it.
      const ImVec2 seen(
          b + 1 < bars.size() ? std::min(high.x, ImPlot::PlotToPixels(bars[b + 1].start_us, y).x) : high.x, high.y);
      label_bar(context.theme, list, low, seen, bar.kind, bar.duration_us, selection.stage_kind);
      if (active && selection.stage == bar.stage)
        list->AddRect(low, high, packed(context.theme.text), 0, 0, 2 * context.theme.scale);
      if (hovered && mouse.x >= low.x && mouse.x < high.x && mouse.y >= low.y && mouse.y < high.y) under_mouse = &bar;
    }
  }
  if (under_mouse == nullptr) return;
  draw_bar_tooltip(document, *under_mouse);
  if (!ImGui::IsMouseReleased(ImGuiMouseButton_Left) || ImGui::GetMouseDragDelta().x != 0) return;
  if (selection.stage == under_mouse->stage && selection.stage_kind == under_mouse->kind) {
    selection.stage = selection.stage_kind = -1;
    return;
  }
  // A kind means the same in every model; a stage and a layer only in the one that the other views show.
  selection.stage_kind = under_mouse->kind;
  selection.stage = active ? under_mouse->stage : -1;
  if (active && under_mouse->layer >= 0) selection.layer = under_mouse->layer;
}

Table timeline_table(const TokenTimeline& timeline) {
  Table table{"timeline",
              {{"stage", {}}, {"stage kind", {}}, {"layer", {}}, {"start in row (us)", {}}, {"time (us)", {}}}};
  for (const TimingRow& row : timeline.rows) {
    for (const TimingBar& bar : row.bars) {
      table.columns[0].values.push_back(bar.stage);
      table.columns[1].values.push_back(bar.kind);
      table.columns[2].values.push_back(bar.layer);
      table.columns[3].values.push_back(bar.start_us);
      table.columns[4].values.push_back(bar.duration_us);
    }
  }
  return table;
}

}  // namespace

float beyond_axis(const Theme& theme, const std::string& label) {
  return std::max(10 * theme.scale, 0.5F * ImGui::CalcTextSize(label.c_str()).x + 2 * theme.scale);
}

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
  const bool named = size.y >= 8 * ImGui::GetTextLineHeight();
  size.x -= beyond_axis(context.theme, fmt::format("{:g}{}", most_us, named ? "" : " µs"));
  // Two profiles share the width; the source stands above the plots as well.
  std::string axis = fmt::format("µs from the first stage of the row · {}", source_words(timeline.source));
  if (ImGui::CalcTextSize(axis.c_str()).x > 0.7F * size.x) axis = "µs from the row's first stage";
  if (!begin_plot(
          context, "##timeline", size, axis.c_str(), nullptr, ImPlotFlags_NoLegend, 0,
          ImPlotAxisFlags_Lock | ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks | ImPlotAxisFlags_Invert))
    return;
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
  ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, 0, 1e12);
  ImPlot::SetupFinish();
  if (ImPlot::IsPlotHovered()) {
    const ImGuiIO& io = ImGui::GetIO();
    if (io.MouseWheel != 0 || ImGui::IsMouseDragging(ImGuiMouseButton_Left)) workspace.timings_zoomed = true;
    if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) workspace.timings_zoomed = false;
  }
  ImPlot::PushPlotClipRect();
  draw_bars(context, document);
  ImPlot::PopPlotClipRect();
  end_plot(context, [&] { return timeline_table(timeline); });
}

}  // namespace app
