// Accuracy over positions, a curve with its band for each model.
#include "app/panels/accuracy.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace app {

namespace {

struct View {
  const void* job = nullptr;
  int length = 0;
  AccuracyUnit unit = AccuracyUnit::scaled;
  bool logarithmic = true;
  bool operator==(const View&) const = default;
};

void setup_positions(int length, bool logarithmic) {
  if (!logarithmic) {
    ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
    return;
  }
  ImPlot::SetupAxisScale(ImAxis_X1, ImPlotScale_Log10);
  std::vector<double> at;
  std::vector<std::string> text;
  for (std::int64_t power = 1; power <= 4 * std::int64_t{length}; power *= 2) {
    at.push_back(static_cast<double>(power));
    text.push_back(count_text(power));
  }
  std::vector<const char*> labels;
  labels.reserve(text.size());
  for (const std::string& label : text) labels.push_back(label.c_str());
  ImPlot::SetupAxisTicks(ImAxis_X1, at.data(), static_cast<int>(at.size()), labels.data());
}

// What guessing gets.
void draw_chance(const Theme& theme, int classes, AccuracyUnit unit) {
  const double level = unit == AccuracyUnit::scaled ? 0 : 100.0 / classes;
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  if (!limits.Y.Contains(level)) return;
  const ImVec2 from = ImPlot::PlotToPixels(limits.X.Min, level), to = ImPlot::PlotToPixels(limits.X.Max, level);
  const std::string text = fmt::format("chance, {} classes", classes);
  ImPlot::PushPlotClipRect();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const float dash = 5 * theme.scale;
  const int dashes = static_cast<int>((to.x - from.x) / (2 * dash)) + 1;
  for (int i = 0; i < dashes; ++i) {
    const float x = from.x + 2 * dash * static_cast<float>(i);
    list->AddLine({x, from.y}, {std::min(x + dash, to.x), from.y}, packed(theme.secondary), theme.scale);
  }
  const ImVec2 size = ImGui::CalcTextSize(text.c_str());
  const float below = from.y + 2 * theme.scale;
  const bool fits = below + size.y < ImPlot::GetPlotPos().y + ImPlot::GetPlotSize().y;
  list->AddText({from.x + 6 * theme.scale, fits ? below : from.y - size.y - 2 * theme.scale}, packed(theme.secondary),
                text.c_str());
  ImPlot::PopPlotClipRect();
}

void draw_training_mark(const Theme& theme, const AccuracyData& data) {
  const int longest = data.longest_training;
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  if (longest <= 0 || !limits.X.Contains(longest)) return;
  const ImVec2 top = ImPlot::PlotToPixels(longest, limits.Y.Max), bottom = ImPlot::PlotToPixels(longest, limits.Y.Min);
  const std::string text =
      fmt::format("{}trained up to {}", data.series.size() > 1 ? data.series.front().name + " " : std::string(),
                  count_text(longest));
  const float pad = 5 * theme.scale, width = ImGui::CalcTextSize(text.c_str()).x;
  const bool left = top.x + pad + width > ImPlot::GetPlotPos().x + ImPlot::GetPlotSize().x;
  ImPlot::PushPlotClipRect();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  list->AddLine(top, bottom, packed(theme.value, 0.7F), theme.scale);
  list->AddText({left ? top.x - pad - width : top.x + pad, 0.35F * top.y + 0.65F * bottom.y}, packed(theme.value),
                text.c_str());
  ImPlot::PopPlotClipRect();
}

void draw_hover(const Theme& theme, const AccuracyData& data, const std::set<std::string>& hidden) {
  if (!ImPlot::IsPlotHovered()) return;
  const double x = ImPlot::GetPlotMousePos().x;
  bool open = false;
  for (std::size_t i = 0; i < data.series.size(); ++i) {
    const AccuracyCurve& curve = data.series[i].curve;
    if (hidden.count(data.series[i].name) != 0 || curve.last.empty() || x > curve.last.back() * 1.02) continue;
    // The bin that holds the position, or the next one with a label.
    const auto at = static_cast<std::size_t>(
        std::min(std::lower_bound(curve.last.begin(), curve.last.end(), x - 0.5) - curve.last.begin(),
                 static_cast<std::ptrdiff_t>(curve.last.size()) - 1));
    if (!open) ImGui::BeginTooltip();
    if (!open)
      ImGui::TextUnformatted(curve.first[at] == curve.last[at]
                                 ? fmt::format("position {:.0f}", curve.last[at]).c_str()
                                 : fmt::format("positions {:.0f} to {:.0f}", curve.first[at], curve.last[at]).c_str());
    open = true;
    ImGui::TextColored(series_colour(theme, static_cast<int>(i)), "%s  %s %%  (%s to %s)", data.series[i].name.c_str(),
                       share_text(curve.value[at], 2).c_str(), share_text(curve.low[at], 1).c_str(),
                       share_text(curve.high[at], 1).c_str());
    ImGui::TextColored(theme.secondary, "   %s of n = %s labels right, %d sequences",
                       count_text(static_cast<long long>(curve.right[at])).c_str(),
                       count_text(static_cast<long long>(curve.labelled[at])).c_str(),
                       data.report->models[i].counts.sequences);
  }
  if (!open) return;
  ImGui::TextColored(theme.secondary, "%s; in brackets the 95 %% interval",
                     data.unit == AccuracyUnit::scaled ? "scaled: 0 % is chance, 100 % all right"
                                                       : "share of the labels that are right");
  ImGui::EndTooltip();
}

void draw_series(const Theme& theme, const AccuracySeries& series, int index) {
  const auto count = static_cast<int>(series.curve.position.size());
  const ImVec4 colour = series_colour(theme, index);
  ImPlotSpec band = line_spec(colour);
  band.FillAlpha = 0.20F;
  ImPlot::PlotShaded(series.name.c_str(), series.curve.position.data(), series.curve.low.data(),
                     series.curve.high.data(), count, band);
  // The open model lies on top with small marks, so that a curve below it still shows around them.
  ImPlot::PlotLine(
      series.name.c_str(), series.curve.position.data(), series.curve.value.data(), count,
      line_with_markers(colour, series_marker(index), (index == 0 ? 2.0F : 3.6F) * theme.scale, 1.6F * theme.scale));
}

}  // namespace

ImPlotMarker series_marker(int index) {
  constexpr std::array<ImPlotMarker, 6> markers = {ImPlotMarker_Circle, ImPlotMarker_Square, ImPlotMarker_Diamond,
                                                   ImPlotMarker_Up,     ImPlotMarker_Down,   ImPlotMarker_Left};
  return markers[static_cast<std::size_t>(index) % markers.size()];
}

void draw_accuracy_plot(PanelContext& context, const AccuracyData& data, ImVec2 size) {
  static View fitted;
  const Theme& theme = context.theme;
  const std::set<std::string>& hidden = context.workspace.accuracy.hidden;
  const bool scaled = data.unit == AccuracyUnit::scaled;
  if (!begin_plot(context, "##accuracy", size, "position: tokens read", scaled ? "scaled accuracy, %" : "accuracy, %",
                  ImPlotFlags_NoLegend))
    return;
  const int length = data.report->choice.length;
  const View view{context.workspace.document().evaluation.get(), length, data.unit, data.logarithmic};
  const ImPlotCond follow = view == fitted ? ImPlotCond_Once : ImPlotCond_Always;
  fitted = view;
  if (data.logarithmic)
    ImPlot::SetupAxisLimits(ImAxis_X1, 0.92, 1.12 * length, follow);
  else
    ImPlot::SetupAxisLimits(ImAxis_X1, -0.01 * length, 1.02 * length, follow);
  ImPlot::SetupAxisLimits(ImAxis_Y1, scaled ? -14 : 0, 106, follow);
  setup_positions(length, data.logarithmic);
  for (std::size_t i = data.series.size(); i-- > 0;)
    if (hidden.count(data.series[i].name) == 0) draw_series(theme, data.series[i], static_cast<int>(i));
  if (!data.series.empty() && data.series.front().classes > 1)
    draw_chance(theme, data.series.front().classes, data.unit);
  draw_training_mark(theme, data);
  draw_hover(theme, data, hidden);
  end_plot(context, [&] {
    std::vector<std::pair<std::string, const engine::Evaluation*>> counts;
    for (const ModelEvaluation& model : data.report->models) counts.emplace_back(model.model, &model.counts);
    return accuracy_table(counts);
  });
}

}  // namespace app
