// The plots of the discretisation panel: spread over heads, lambda, weights.
#include "app/panels/discretisation.h"
#include "app/panels/error_plot.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

// The view follows new data; the user's zoom holds in between.
ImPlotCond follow(ViewKey& fitted, const ViewKey& key) {
  const bool same = fitted == key;
  fitted = key;
  return same ? ImPlotCond_Once : ImPlotCond_Always;
}

int power_label(double value, char* out, int size, void*) {
  const bool whole = std::abs(value - std::round(value)) < 0.01;
  const auto end =
      fmt::format_to_n(out, size - 1, "{}", whole ? decade_label(static_cast<int>(std::round(value))) : "");
  *end.out = '\0';
  return static_cast<int>(end.size);
}

std::int64_t hovered_token(double first, std::size_t count) {
  if (!ImPlot::IsPlotHovered()) return -1;
  const auto at = static_cast<std::int64_t>(std::lround(ImPlot::GetPlotMousePos().x - first));
  return at >= 0 && at < static_cast<std::int64_t>(count) ? at : -1;
}

void select_on_click(PanelContext& context, double token) {
  if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0) {
    context.workspace.select_token(static_cast<std::int64_t>(token));
  }
}

}  // namespace

void draw_error_spread(PanelContext& context, const ErrorSpread& spread, ErrorKind kind, ImVec2 size) {
  const Theme& theme = context.theme;
  const bool local = kind == ErrorKind::local;
  if (spread.centre.empty()) {
    note(theme, "No error is known at this token.");
    return;
  }
  double most = 1;
  for (const auto& counts : spread.count) {
    for (const double n : counts) most = std::max(most, n);
  }
  if (!begin_plot(context, local ? "##spread" : "##carried-spread", size,
                  local ? "relative local error" : "relative accumulated error", "heads", ImPlotFlags_NoLegend))
    return;
  follow_limits(spread.centre.front() - spread.width, spread.centre.back() + spread.width, 0, most * 1.12);
  ImPlot::SetupAxisFormat(ImAxis_X1, power_label);
  ImPlot::SetupAxisFormat(ImAxis_Y1, whole_label);
  const std::string own = name_of_model_rule(context);
  const char* const names[] = {rule_names[0], rule_names[1], own.c_str()};
  for (int rule = 0; rule < 3; ++rule) {
    const auto at = static_cast<std::size_t>(rule);
    const ImVec4 colour = colour_of(theme, static_cast<Rule>(rule));
    ImPlotSpec spec = line_spec(colour, 1.0F);
    spec.FillAlpha = 0.45F;
    // Side by side inside a bin, so that no rule hides another.
    const double bar = 0.3 * spread.width;
    std::vector<double> centre = spread.centre;
    for (double& x : centre) x += (rule - 1) * bar;
    ImPlot::PlotBars(names[at], centre.data(), spread.count[at].data(), static_cast<int>(centre.size()), bar, spec);
    if (std::isfinite(spread.median[at])) {
      const double x = std::log10(spread.median[at]);
      const ImPlotRect limits = ImPlot::GetPlotLimits();
      ImPlot::PushPlotClipRect();
      ImPlot::GetPlotDrawList()->AddLine(ImPlot::PlotToPixels(x, limits.Y.Min), ImPlot::PlotToPixels(x, limits.Y.Max),
                                         packed(colour, 0.9F), 1.2F * theme.scale);
      ImPlot::PopPlotClipRect();
    }
  }
  if (ImPlot::IsPlotHovered()) {
    ImGui::BeginTooltip();
    for (std::size_t rule = 0; rule < 3; ++rule) {
      ImGui::TextColored(colour_of(theme, static_cast<Rule>(rule)), "%s: median %s", names[rule],
                         number_text(spread.median[rule], 3).c_str());
    }
    const int bin =
        static_cast<int>(std::floor((ImPlot::GetPlotMousePos().x - spread.centre.front()) / spread.width + 0.5));
    if (bin >= 0 && bin < static_cast<int>(spread.centre.size())) {
      const auto b = static_cast<std::size_t>(bin);
      ImGui::Text("near %s: %.0f, %.0f, %.0f heads", number_text(std::pow(10.0, spread.centre[b]), 2).c_str(),
                  spread.count[0][b], spread.count[1][b], spread.count[2][b]);
    }
    ImGui::EndTooltip();
  }
  end_plot(context, [&] {
    return Table{local ? "error-spread" : "accumulated-error-spread",
                 {{"log10 error", spread.centre},
                  {"euler (heads)", spread.count[0]},
                  {"trapezoid (heads)", spread.count[1]},
                  {"model lambda (heads)", spread.count[2]}}};
  });
}

void draw_lambda(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  static ViewKey fitted;
  const Theme& theme = context.theme;
  const CoefficientSeries& c = data.coefficients;
  const double first = c.token.empty() ? 0 : c.token.front(), last = c.token.empty() ? 1 : c.token.back();
  if (!begin_plot(context, "##lambda", size, "token", nullptr, ImPlotFlags_NoLegend)) return;
  ImPlot::SetupAxesLimits(first - 0.5, std::max(last, first + 1) + 0.5, -0.04, 1.08, follow(fitted, data.key));
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  const double ticks[] = {0, 0.5, 1};
  const char* const labels[] = {"0", "½", "1"};
  ImPlot::SetupAxisTicks(ImAxis_Y1, ticks, 3, labels);
  const double euler = 1, trapezoid = 0.5;
  ImPlotSpec level = line_spec(theme.euler, 1.0F);
  level.Flags = ImPlotInfLinesFlags_Horizontal;
  ImPlot::PlotInfLines("Euler", &euler, 1, level);
  level.LineColor = theme.trapezoid;
  ImPlot::PlotInfLines("trapezoid", &trapezoid, 1, level);
  const auto count = static_cast<int>(c.token.size());
  ImPlot::PlotLine(name_of_model_rule(context).c_str(), c.token.data(), c.lambda.data(), count,
                   count <= 48 ? line_with_markers(theme.model_lambda, ImPlotMarker_Diamond, 2.4F * theme.scale)
                               : line_spec(theme.model_lambda));
  mark_x(theme, static_cast<double>(data.index));
  if (const std::int64_t at = hovered_token(first, c.token.size()); at >= 0) {
    const auto i = static_cast<std::size_t>(at);
    ImGui::SetTooltip("token %.0f “%s”: λ = %s", c.token[i],
                      token_text(*data.snapshot, static_cast<std::int64_t>(c.token[i])).c_str(),
                      number_text(c.lambda[i]).c_str());
    select_on_click(context, c.token[i]);
  }
  end_plot(context, [&] { return Table{"lambda", {{"token", c.token}, {"lambda", c.lambda}}}; });
}

void draw_weights(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  static ViewKey fitted;
  const Theme& theme = context.theme;
  const CoefficientSeries& c = data.coefficients;
  const double first = c.token.empty() ? 0 : c.token.front(), last = c.token.empty() ? 1 : c.token.back();
  double high = 1;
  for (const auto* values : {&c.alpha, &c.beta, &c.gamma}) {
    for (const double v : *values) {
      if (std::isfinite(v)) high = std::max(high, v);
    }
  }
  if (!begin_plot(context, "##weights", size, "token", "weight")) return;
  ImPlot::SetupAxesLimits(first - 0.5, std::max(last, first + 1) + 0.5, -0.05 * high, high * 1.5,
                          follow(fitted, data.key));
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  ImPlot::SetupLegend(ImPlotLocation_NorthEast, ImPlotLegendFlags_Horizontal);
  const auto count = static_cast<int>(c.token.size());
  const bool few = count <= 48;
  const auto draw = [&](const char* name, const std::vector<double>& values, const ImVec4& colour,
                        ImPlotMarker marker) {
    ImPlot::PlotLine(name, c.token.data(), values.data(), count,
                     few ? line_with_markers(colour, marker, 2.0F * theme.scale, 1.4F * theme.scale)
                         : line_spec(colour, 1.4F * theme.scale));
  };
  draw("α", c.alpha, theme.success, ImPlotMarker_Circle);
  draw("β", c.beta, theme.last_input, ImPlotMarker_Square);
  draw("γ", c.gamma, theme.this_input, ImPlotMarker_Up);
  mark_x(theme, static_cast<double>(data.index));
  if (const std::int64_t at = hovered_token(first, c.token.size()); at >= 0) {
    const auto i = static_cast<std::size_t>(at);
    ImGui::SetTooltip("token %.0f “%s”: α %s, β %s, γ %s, dt %s", c.token[i],
                      token_text(*data.snapshot, static_cast<std::int64_t>(c.token[i])).c_str(),
                      number_text(c.alpha[i]).c_str(), number_text(c.beta[i]).c_str(), number_text(c.gamma[i]).c_str(),
                      number_text(c.dt[i]).c_str());
    select_on_click(context, c.token[i]);
  }
  end_plot(context, [&] {
    return Table{"coefficients",
                 {{"token", c.token},
                  {"alpha", c.alpha},
                  {"beta", c.beta},
                  {"gamma", c.gamma},
                  {"lambda", c.lambda},
                  {"dt", c.dt}}};
  });
}

}  // namespace app
