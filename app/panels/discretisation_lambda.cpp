// Where the learned lambda lies between 0 and 1, and what another one would cost the shown step.
#include "app/panels/discretisation.h"
#include "app/panels/error_plot.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/plot_lines.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

// A hairline of a rule at its lambda, over the whole height.
void mark_lambda(const Theme& theme, double lambda, const ImVec4& colour, const char* text, float row) {
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  if (!limits.X.Contains(lambda)) return;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec2 top = ImPlot::PlotToPixels(lambda, limits.Y.Max), bottom = ImPlot::PlotToPixels(lambda, limits.Y.Min);
  ImPlot::PushPlotClipRect();
  list->AddLine(top, bottom, packed(colour, 0.8F), 1.2F * theme.scale);
  const float size = small_size(theme) * 0.95F, width = theme.words->CalcTextSizeA(size, 1e9F, 0, text).x;
  // Not over the line of Euler, which stands at the right end.
  const float right = ImPlot::PlotToPixels(lambda < 1 ? 1 : limits.X.Max, limits.Y.Min).x, gap = 4 * theme.scale;
  const float x = top.x + 2 * gap + width > right ? top.x - gap - width : top.x + gap;
  list->AddText(theme.words, size, {x, top.y + 2 * theme.scale + row * size * 1.15F}, packed(colour), text);
  ImPlot::PopPlotClipRect();
}

void mark_rules(const PanelContext& context, double own) {
  const Theme& theme = context.theme;
  mark_lambda(theme, 1, theme.euler, "Euler", 0);
  mark_lambda(theme, 0.5, theme.trapezoid, "trapezoid", 0);
  if (std::isfinite(own)) mark_lambda(theme, own, theme.model_lambda, name_of_model_rule(context).c_str(), 1);
}

}  // namespace

void draw_lambda_spread(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const LambdaSpread& spread = data.lambdas;
  if (!spread.known()) {
    note(theme, "The coefficients of this token were not kept. Seek to it to have them again.");
    return;
  }
  double most = 0.1;
  for (const auto* values : {&spread.now, &spread.over_tokens}) {
    for (const double share : *values) most = std::max(most, share);
  }
  if (!begin_plot(context, "##lambda-spread", size, "λ", "share", 0)) return;
  follow_limits(-0.02, 1.02, 0, most * 1.35);
  ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
  ImPlotSpec bars = line_spec(theme.model_lambda, 1.0F);
  bars.FillAlpha = 0.45F;
  const auto count = static_cast<int>(spread.centre.size());
  ImPlot::PlotBars("this token", spread.centre.data(), spread.now.data(), count, 0.9 / LambdaSpread::bins, bars);
  ImPlot::PlotLine(fmt::format("{} tokens###tokens", spread.tokens).c_str(), spread.centre.data(),
                   spread.over_tokens.data(), count, line_spec(theme.text, 1.3F * theme.scale));
  mark_rules(context, spread.own);
  if (ImPlot::IsPlotHovered()) {
    const int bin = static_cast<int>(std::floor(ImPlot::GetPlotMousePos().x * LambdaSpread::bins));
    if (bin >= 0 && bin < LambdaSpread::bins) {
      const auto b = static_cast<std::size_t>(bin);
      ImGui::SetTooltip("λ %.2f to %.2f: %s of the %d heads at this token, %s over the last %lld tokens",
                        static_cast<double>(bin) / LambdaSpread::bins, (bin + 1.0) / LambdaSpread::bins,
                        percent_text(spread.now[b]).c_str(), spread.heads, percent_text(spread.over_tokens[b]).c_str(),
                        static_cast<long long>(spread.tokens));
    }
  }
  end_plot(context, [&] {
    return Table{"lambda-spread",
                 {{"lambda (middle of the bin)", spread.centre},
                  {"share of heads at the shown token", spread.now},
                  {"share over the shown tokens", spread.over_tokens}}};
  });
}

void draw_lambda_cost(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const LambdaCostCurve& curve = data.cost;
  if (!curve.known()) {
    note(theme, "No error is known here: the token has no input, or its record or the one before it was dropped.");
    return;
  }
  const engine::AccumulatedError carried = data.carried.at(data.index, data.selection.layer, data.selection.head);
  const std::vector<double> kept = errors_along(carried.fixed, curve.lambda);
  double low = 1e300, high = 0;
  for (const auto* values : {&curve.error, &kept}) {
    for (const double e : *values) {
      if (!std::isfinite(e)) continue;
      low = std::min(low, e);
      high = std::max(high, e);
    }
  }
  if (!(low <= high)) return note(theme, "Every λ is exact here.");
  if (!begin_plot(context, "##lambda-cost", size, "λ", size.y < 190 * theme.scale ? "error" : "relative error")) return;
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  follow_limits(-0.02, 1.02, low / 2, high * 4);
  setup_decades(low * 1e-3, high * 1e3, size.y * 2.2F, std::log10(high / low));
  ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
  const auto count = static_cast<int>(curve.lambda.size());
  ImPlot::PlotLine("this step, local", curve.lambda.data(), curve.error.data(), count,
                   line_spec(theme.text, 1.6F * theme.scale));
  draw_dashed(curve.lambda, kept, theme.secondary, 1.3F * theme.scale, 4 * theme.scale);
  ImPlot::PlotDummy("one λ kept, accumulated (dashed)", line_spec(theme.secondary));
  mark_rules(context, curve.own);
  const struct {
    double lambda;
    ImVec4 colour;
    ImPlotMarker marker;
  } points[] = {{1, theme.euler, ImPlotMarker_Circle},
                {0.5, theme.trapezoid, ImPlotMarker_Square},
                {curve.own, theme.model_lambda, ImPlotMarker_Diamond}};
  int id = 0;
  for (const auto& point : points) {
    const double error = curve.cost.at(point.lambda);
    ImPlotSpec spec = line_spec(point.colour);
    spec.Marker = point.marker;
    spec.MarkerSize = 4 * theme.scale;
    ImPlot::PlotScatter(fmt::format("##at-{}", id++).c_str(), &point.lambda, &error, 1, spec);
  }
  if (ImPlot::IsPlotHovered()) {
    const double at = std::clamp(ImPlot::GetPlotMousePos().x, 0.0, 1.0);
    const double there = curve.cost.at(at), own = curve.cost.at(curve.own);
    ImGui::BeginTooltip();
    ImGui::Text("λ = %s: relative local error %s", number_text(at, 3).c_str(), number_text(there, 3).c_str());
    if (own > 0 && there > 0)
      ImGui::Text("%s times that of the model's λ = %s", number_text(there / own, 3).c_str(),
                  number_text(curve.own, 3).c_str());
    ImGui::Text("smallest: %s at λ = %s%s", number_text(curve.cost.at(curve.best), 3).c_str(),
                number_text(curve.best, 3).c_str(), curve.best_is_outside ? " (beyond it outside of 0 to 1)" : "");
    if (const double e = carried.fixed.at(at); std::isfinite(e))
      ImGui::TextColored(theme.secondary, "this λ at every token so far: accumulated %s", number_text(e, 3).c_str());
    ImGui::EndTooltip();
  }
  end_plot(context, [&] {
    return Table{"lambda-cost",
                 {{"lambda", curve.lambda},
                  {"relative local error", curve.error},
                  {"relative accumulated error of this lambda at every token", kept}}};
  });
}

}  // namespace app
