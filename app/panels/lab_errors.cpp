// Error against step size on logarithmic axes: measured (shapes), leading terms of the expansion (dashed), fitted slopes
// with their 95 % interval in the legend, and the range of the fit (shaded).
#include "app/panels/laboratory.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/plot_lines.h"
#include "app/viewmodel/lab_words.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

const LabCurve& curve_of(const LabRule& rule, LabError which) {
  return which == LabError::local ? rule.local : rule.global;
}

Table error_table(const LabStudy& study, LabError which) {
  Table table{which == LabError::local ? "local-errors" : "global-errors", {{"dt", study.step}}};
  for (const LabRule& rule : study.rules) {
    const char* name = engine::two_point_rule(rule.kind).key;
    table.columns.push_back({fmt::format("{} error", name), curve_of(rule, which).error});
    table.columns.push_back({fmt::format("{} leading terms", name), curve_of(rule, which).leading});
  }
  return table;
}

void shade_fit(const Theme& theme, const LabSettings& settings) {
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const double low = std::max(settings.fit_first, limits.X.Min), high = std::min(settings.fit_last, limits.X.Max);
  if (!(low < high)) return;
  ImPlot::PushPlotClipRect();
  ImPlot::GetPlotDrawList()->AddRectFilled(ImPlot::PlotToPixels(low, limits.Y.Max),
                                           ImPlot::PlotToPixels(high, limits.Y.Min), packed(theme.text, 0.05F));
  ImPlot::PopPlotClipRect();
}

void mark_step(const Theme& theme, const LabStudy& study) {
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  if (!limits.X.Contains(study.settings.dt)) return;
  mark_x(theme, study.settings.dt);
  const ImVec2 at = ImPlot::PlotToPixels(study.settings.dt, limits.Y.Min);
  const char* text = study.settings.follow_head ? "head's dt" : "dt";
  const float s = small_size(theme) * 0.95F, width = theme.words->CalcTextSizeA(s, 1e9F, 0, text).x;
  ImPlot::PushPlotClipRect();
  ImPlot::GetPlotDrawList()->AddText(theme.words, s, {at.x - width - 4 * theme.scale, at.y - s * 1.4F},
                                     packed(theme.accent), text);
  ImPlot::PopPlotClipRect();
}

void error_tooltip(const PanelContext& context, const LabStudy& study, LabError which) {
  const Theme& theme = context.theme;
  const double dt = ImPlot::GetPlotMousePos().x;
  std::size_t best = 0;
  for (std::size_t i = 1; i < study.step.size(); ++i) {
    if (std::abs(std::log(study.step[i] / dt)) < std::abs(std::log(study.step[best] / dt))) best = i;
  }
  ImGui::BeginTooltip();
  ImGui::Text("dt = %s: largest %s error (leading terms alone)", number_text(study.step[best], 3).c_str(),
              which == LabError::local ? "local" : "global");
  for (const LabRule& rule : study.rules) {
    const LabCurve& curve = curve_of(rule, which);
    const std::string leading =
        std::isfinite(curve.leading[best]) ? fmt::format("  ({})", number_text(curve.leading[best], 3)) : "";
    const std::string order = study.settings.problem.smooth() ? fmt::format(", theory {}", curve.order) : "";
    ImGui::TextColored(rule_colour(theme, rule.kind), "%s  %s%s   slope %s%s",
                       rule_label(context, study.settings, rule.kind).c_str(),
                       number_text(curve.error[best], 3).c_str(), leading.c_str(),
                       slope_text(curve.fit, curve.exact).c_str(), order.c_str());
  }
  ImGui::EndTooltip();
}

}  // namespace

void draw_lab_errors(PanelContext& context, const LabStudy& study, LabError which, ImVec2 size) {
  const Theme& theme = context.theme;
  double low = 1e300, high = 0;
  for (const LabRule& rule : study.rules) {
    if (curve_of(rule, which).exact) continue;  // the legend tells it; its rounding would squeeze all others
    for (const double e : curve_of(rule, which).error) {
      if (!std::isfinite(e)) continue;
      low = std::min(low, e);
      high = std::max(high, e);
    }
  }
  if (!(low < high)) {
    low = 1e-12;
    high = 1;
  }
  if (!begin_plot(context, which == LabError::local ? "##local-errors" : "##global-errors", size, "step size dt",
                  which == LabError::local ? "local |error|" : "global |error|"))
    return;
  ImPlot::SetupAxisScale(ImAxis_X1, ImPlotScale_Log10);
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  // Whole decades, so that the axis does not move with each change; a narrow plot has its legend above the curves.
  const bool beside = size.x > 430 * theme.scale;
  const double bottom = std::pow(10.0, std::floor(std::log10(low)));
  const double top = std::pow(10.0, std::ceil(std::log10(high * 1.5)));
  const double room = beside ? 1 : std::pow(top / bottom, 0.55);
  follow_limits(study.step.front() * 0.8, study.step.back() * 1.25, bottom, top * room);
  setup_decades(bottom * 1e-3, top * room * 1e3, size.y * 1.8F);
  if (beside)
    ImPlot::SetupLegend(ImPlotLocation_East, ImPlotLegendFlags_Outside);
  else
    ImPlot::SetupLegend(ImPlotLocation_NorthWest);
  shade_fit(theme, study.settings);
  for (const LabRule& rule : study.rules) {
    const LabCurve& curve = curve_of(rule, which);
    const ImVec4 colour = rule_colour(theme, rule.kind);
    const std::string name = fmt::format("{}  {}###{}", rule_label(context, study.settings, rule.kind),
                                         slope_text(curve.fit, curve.exact), static_cast<int>(rule.kind));
    const ImPlotSpec spec = line_with_markers(colour, rule_marker(rule.kind), 2.8F * theme.scale, 1.2F * theme.scale);
    ImPlot::PlotLine(name.c_str(), study.step.data(), curve.error.data(), static_cast<int>(study.step.size()), spec);
    // Near the measured line where the expansion holds, so not in its colour.
    draw_dashed(study.step, curve.leading, theme.text, 1.0F * theme.scale, 4 * theme.scale);
  }
  mark_step(theme, study);
  if (ImPlot::IsPlotHovered() && !study.rules.empty()) error_tooltip(context, study, which);
  end_plot(context, [&] { return error_table(study, which); });
}

}  // namespace app
