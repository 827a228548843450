// Trajectories of the rules beside the exact one: over time, and in the complex plane.
#include "app/panels/laboratory.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

// What a figure must hold: the exact curve whole, and a rule whole that stays near it; of one that explodes only as far as
// three times the exact curve's extent, so that it does not squeeze the others into a line.
struct Extent {
  double low = 0, high = 0;

  void hold(const std::vector<double>& values) {
    for (const double v : values) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
  }
  void hold_within(const std::vector<double>& values, const Extent& exact) {
    constexpr double near_it = 6;
    const double span = std::max(exact.high - exact.low, 1e-9);
    Extent own;
    own.hold(values);
    if (own.high <= exact.high + near_it * span && own.low >= exact.low - near_it * span) return hold(values);
    for (const double v : values) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, std::max(v, exact.low - span));
      high = std::max(high, std::min(v, exact.high + span));
    }
  }
};

Table path_table(const LabStudy& study) {
  Table table{"test-signal", {{"time", study.time}}};
  for (const LabRule& rule : study.rules) {
    const char* name = engine::two_point_rule(rule.kind).key;
    table.columns.push_back({fmt::format("{} Re h", name), rule.re});
    table.columns.push_back({fmt::format("{} Im h", name), rule.im});
  }
  table.columns.push_back({"fine time", study.fine_time});
  table.columns.push_back({"exact Re h", study.exact_re});
  table.columns.push_back({"exact Im h", study.exact_im});
  return table;
}

ImPlotSpec rule_line(const Theme& theme, const LabStudy& study, engine::RuleKind kind) {
  return line_with_markers(rule_colour(theme, kind), rule_marker(kind),
                           (study.time.size() > 60 ? 1.6F : 2.8F) * theme.scale, 1.1F * theme.scale);
}

void path_tooltip(const PanelContext& context, const LabStudy& study, std::size_t i) {
  const Theme& theme = context.theme;
  ImGui::BeginTooltip();
  ImGui::Text("t = %s, h =", number_text(study.time[i], 3).c_str());
  const auto line = [](const ImVec4& colour, const std::string& name, double re, double im) {
    ImGui::TextColored(colour, "%s  %s %s %si", name.c_str(), number_text(re).c_str(), im < 0 ? "-" : "+",
                       number_text(std::abs(im)).c_str());
  };
  const std::size_t fine =
      std::min(study.fine_time.size() - 1,
               static_cast<std::size_t>(
                   std::lround(study.time[i] / study.duration * static_cast<double>(study.fine_time.size() - 1))));
  line(theme.text, "exact", study.exact_re[fine], study.exact_im[fine]);
  for (const LabRule& rule : study.rules)
    line(rule_colour(theme, rule.kind), rule_label(context, study.settings, rule.kind), rule.re[i], rule.im[i]);
  ImGui::EndTooltip();
}

}  // namespace

void draw_paths_in_time(PanelContext& context, const LabStudy& study, ImVec2 size) {
  const Theme& theme = context.theme;
  Extent exact, all;
  exact.hold(study.exact_re);
  all = exact;
  for (const LabRule& rule : study.rules) all.hold_within(rule.re, exact);
  const double margin = std::max(0.08 * (all.high - all.low), 1e-9);
  const bool beside = size.x > 430 * theme.scale;
  if (!begin_plot(context, "##paths-in-time", size, "time t", "Re h")) return;
  follow_limits(0, study.duration, all.low - margin, all.high + (beside ? 1 : 4) * margin);
  if (beside)
    ImPlot::SetupLegend(ImPlotLocation_East, ImPlotLegendFlags_Outside);
  else
    ImPlot::SetupLegend(ImPlotLocation_NorthWest, ImPlotLegendFlags_Horizontal);
  for (const LabRule& rule : study.rules) {
    ImPlot::PlotLine(
        fmt::format("{}###{}", rule_label(context, study.settings, rule.kind), static_cast<int>(rule.kind)).c_str(),
        study.time.data(), rule.re.data(), static_cast<int>(study.time.size()), rule_line(theme, study, rule.kind));
  }
  ImPlot::PlotLine("exact", study.fine_time.data(), study.exact_re.data(), static_cast<int>(study.fine_time.size()),
                   line_spec(theme.text, 1.3F * theme.scale));
  if (ImPlot::IsPlotHovered() && !study.time.empty()) {
    const double at = ImPlot::GetPlotMousePos().x / study.dt;
    path_tooltip(
        context, study,
        static_cast<std::size_t>(std::lround(std::clamp(at, 0.0, static_cast<double>(study.time.size() - 1)))));
  }
  end_plot(context, [&] { return path_table(study); });
}

void draw_differences(PanelContext& context, const LabStudy& study, const LabDifference& difference, ImVec2 size) {
  const Theme& theme = context.theme;
  // A rule that explodes must not squeeze the others into a line: as far as the exact curve's extent.
  Extent exact, all;
  exact.hold(study.exact_re);
  for (const LabDifference::Rule& rule : difference.rules) all.hold_within(rule.re, exact);
  const double margin = std::max(0.1 * (all.high - all.low), 1e-15);
  const bool beside = size.x > 430 * theme.scale;
  if (!begin_plot(context, "##differences", size, "time t", "Re (h - exact)")) return;
  follow_limits(0, study.duration, all.low - margin, all.high + margin);
  if (beside)
    ImPlot::SetupLegend(ImPlotLocation_East, ImPlotLegendFlags_Outside);
  else
    ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
  for (const LabDifference::Rule& rule : difference.rules) {
    ImPlot::PlotLine(
        fmt::format("{}###{}", rule_label(context, study.settings, rule.kind), static_cast<int>(rule.kind)).c_str(),
        difference.time.data(), rule.re.data(), static_cast<int>(rule.re.size()), rule_line(theme, study, rule.kind));
  }
  if (ImPlot::IsPlotHovered() && !difference.time.empty()) {
    const double at = ImPlot::GetPlotMousePos().x / study.dt;
    const auto i =
        static_cast<std::size_t>(std::lround(std::clamp(at, 0.0, static_cast<double>(difference.time.size() - 1))));
    ImGui::BeginTooltip();
    ImGui::Text("t = %s: rule - exact, and its size", number_text(difference.time[i], 3).c_str());
    for (const LabDifference::Rule& rule : difference.rules) {
      if (i >= rule.re.size()) continue;
      ImGui::TextColored(rule_colour(theme, rule.kind), "%s  %s %s %si   %s",
                         rule_label(context, study.settings, rule.kind).c_str(), number_text(rule.re[i], 3).c_str(),
                         rule.im[i] < 0 ? "-" : "+", number_text(std::abs(rule.im[i]), 3).c_str(),
                         number_text(rule.size[i], 3).c_str());
    }
    ImGui::EndTooltip();
  }
  end_plot(context, [&] {
    Table table{"rule-minus-exact", {{"time", difference.time}}};
    for (const LabDifference::Rule& rule : difference.rules) {
      const char* name = engine::two_point_rule(rule.kind).key;
      table.columns.push_back({fmt::format("{} Re", name), rule.re});
      table.columns.push_back({fmt::format("{} Im", name), rule.im});
      table.columns.push_back({fmt::format("{} size", name), rule.size});
    }
    return table;
  });
}

void draw_paths_in_plane(PanelContext& context, const LabStudy& study, ImVec2 size) {
  const Theme& theme = context.theme;
  Extent exact_re, exact_im, re, im;
  exact_re.hold(study.exact_re);
  exact_im.hold(study.exact_im);
  re = exact_re;
  im = exact_im;
  for (const LabRule& rule : study.rules) {
    re.hold_within(rule.re, exact_re);
    im.hold_within(rule.im, exact_im);
  }
  const double margin = std::max(0.08 * std::max(re.high - re.low, im.high - im.low), 1e-9);
  if (!begin_plot(context, "##paths-in-plane", size, "Re h", "Im h", ImPlotFlags_Equal | ImPlotFlags_NoLegend)) return;
  // ImPlot keeps one axis and widens the other to the same scale: both are given the larger of the two.
  const float inner_x = std::max(size.x - 60 * theme.scale, 40.0F),
              inner_y = std::max(size.y - 46 * theme.scale, 40.0F);
  const double scale = std::max((re.high - re.low + 2 * margin) / inner_x, (im.high - im.low + 2 * margin) / inner_y);
  const double mid_re = 0.5 * (re.low + re.high), mid_im = 0.5 * (im.low + im.high);
  follow_limits(mid_re - 0.5 * scale * inner_x, mid_re + 0.5 * scale * inner_x, mid_im - 0.5 * scale * inner_y,
                mid_im + 0.5 * scale * inner_y);
  for (const LabRule& rule : study.rules) {
    ImPlot::PlotLine(fmt::format("##{}", static_cast<int>(rule.kind)).c_str(), rule.re.data(), rule.im.data(),
                     static_cast<int>(rule.re.size()), rule_line(theme, study, rule.kind));
  }
  ImPlot::PlotLine("exact", study.exact_re.data(), study.exact_im.data(), static_cast<int>(study.exact_re.size()),
                   line_spec(theme.text, 1.3F * theme.scale));
  if (ImPlot::IsPlotHovered() && !study.rules.empty()) {
    const ImPlotPoint mouse = ImPlot::GetPlotMousePos();
    std::size_t best = 0;
    double nearest = 1e300;
    for (const LabRule& rule : study.rules) {
      for (std::size_t i = 0; i < rule.re.size(); ++i) {
        const double away = std::hypot(rule.re[i] - mouse.x, rule.im[i] - mouse.y);
        if (away < nearest) {
          nearest = away;
          best = i;
        }
      }
    }
    path_tooltip(context, study, best);
  }
  end_plot(context, [&] { return path_table(study); });
}

}  // namespace app
