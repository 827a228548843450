// Dose response: measured when asked for, with progress, and cancelled by a click.
#include "app/panels/empty_state.h"
#include "app/panels/interventions.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/in_force.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace app {

namespace {

std::vector<double> strengths_of(const Interventions& list) {
  const bool shuffles = std::any_of(list.begin(), list.end(), [](const engine::Intervention& by) {
    return by.operation == engine::Operation::shuffle;
  });
  if (shuffles) return {0, 1};
  return {0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
}

struct Curve {
  std::vector<double> x, changed, mean, low, high;
};

template <class Value>
Curve curve_of(const std::vector<engine::DosePoint>& points, Value value) {
  Curve c;
  for (const engine::DosePoint& point : points) {
    c.x.push_back(point.strength);
    c.changed.push_back(value(point.counterfactual));
    double sum = 0, low = 1e300, high = -1e300;
    for (const engine::EffectTally& control : point.controls) {
      const double v = value(control);
      sum += v;
      low = std::min(low, v);
      high = std::max(high, v);
    }
    if (point.controls.empty()) continue;
    c.mean.push_back(sum / static_cast<double>(point.controls.size()));
    c.low.push_back(low);
    c.high.push_back(high);
  }
  return c;
}

Table table_of(const char* name, const char* value, const Curve& c) {
  return {name,
          {{"strength", c.x},
           {std::string(value) + ", changed", c.changed},
           {std::string(value) + ", mean of the controls", c.mean},
           {std::string(value) + ", lowest control", c.low},
           {std::string(value) + ", highest control", c.high}}};
}

void plot_curve(PanelContext& context, const char* id, const char* name, const char* label, const Curve& c,
                ImVec2 size) {
  const Theme& theme = context.theme;
  if (!begin_plot(context, id, size, "strength", label)) return;
  double low = 0, high = 1e-9;
  for (const std::vector<double>* values : {&c.changed, &c.low, &c.high})
    for (const double v : *values) low = std::min(low, v), high = std::max(high, v);
  const double pad = 0.06 * (high - low);
  follow_limits(-0.03, std::max(c.x.back(), 0.1) * 1.03, low - pad, high + pad);
  ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
  const auto count = static_cast<int>(c.x.size());
  if (!c.mean.empty()) {
    ImPlotSpec band = line_spec(run_colour(theme, 2));
    band.FillAlpha = 0.25F;
    ImPlot::PlotShaded("controls, lowest to highest", c.x.data(), c.low.data(), c.high.data(), count, band);
    ImPlot::PlotLine("controls, lowest to highest", c.x.data(), c.mean.data(), count,
                     line_spec(run_colour(theme, 2), 1.2F * theme.scale));
  }
  ImPlot::PlotLine(
      "changed", c.x.data(), c.changed.data(), count,
      line_with_markers(run_colour(theme, 1), ImPlotMarker_Circle, 2.4F * theme.scale, 1.6F * theme.scale));
  end_plot(context, [&] { return table_of(name, label, c); });
}

}  // namespace

void draw_dose_page(PanelContext& context, InterventionDesk& desk, const InterventionData& data) {
  const Theme& theme = context.theme;
  const auto report = desk.dose ? desk.dose->report() : nullptr;
  const InterventionSettings wanted = desk.settings(data.snapshot->interventions);
  const auto begin = [&] {
    engine::DosePlan plan{wanted.list, strengths_of(wanted.list), desk.controls, desk.kind, 0, wanted.base};
    engine::EffectText text;
    for (const auto& record : data.snapshot->tokens) {
      text.ids.push_back(record->id);
      text.truth.push_back(record->truth);
    }
    desk.dose = std::make_unique<MeasureJob>(desk.model, desk.backend, std::move(plan), std::move(text));
  };
  if (report && report->running) {
    if (draw_empty_state(theme, fmt::format("Measuring: {:.0f} %", 100 * report->done),
                         "All strengths and their controls, side by side.", "Cancel"))
      desk.dose->cancel();
    return;
  }
  if (!report || report->dose.empty()) {
    if (wanted.list.empty()) {
      draw_empty_state(theme, "Nothing is changed", "Add a change: its strength is what a dose response goes through.");
    } else if (std::exchange(desk.measure, false) ||
               draw_empty_state(theme, "How does the effect grow with the strength?",
                                report && report->error
                                    ? report->error->message
                                    : "From nothing (0) to all of it (1), over this context's tokens, "
                                      "beside controls of every strength.",
                                "Measure")) {
      begin();
    }
    return;
  }
  if (chip(theme, "measure again", false, "With the list and the tokens as they are now.")) begin();
  if (report->plan.interventions != wanted.list || report->plan.base != wanted.base ||
      report->plan.controls != desk.controls || report->plan.kind != desk.kind) {
    ImGui::SameLine(0, 8 * theme.scale);
    ImGui::TextColored(theme.warning, "of another list");
  }
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const bool asked = report->dose.front().counterfactual.labelled > 0;
  const float row = std::floor((space.y - ImGui::GetStyle().ItemSpacing.y) / 2);
  const Curve kl = curve_of(report->dose, [](const engine::EffectTally& t) { return t.mean_kl_bits(); });
  const Curve second = curve_of(report->dose, [&](const engine::EffectTally& t) {
    return asked ? 100 * t.accuracy() : t.mean_logit_difference();
  });
  plot_curve(context, "##dose-kl", "dose-kl", "mean KL, bits", kl, {space.x, row});
  plot_curve(context, "##dose-answer", "dose-answer", asked ? "right answers, %" : "logit difference", second,
             {space.x, row});
}

}  // namespace app
