#include "app/panels/error_plot.h"

#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/viewmodel/lambda_mark.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

ImVec4 colour_of(const Theme& theme, Rule rule) {
  return rule == Rule::euler ? theme.euler : rule == Rule::trapezoid ? theme.trapezoid : theme.model_lambda;
}

std::string name_of_model_rule(const PanelContext& context) {
  const std::string mark = lambda_mark(context.workspace.document().snapshot->model->config());
  return mark.empty() ? rule_names[2] : mark;
}

void frame_chips(PanelContext& context) {
  Selection& selection = context.workspace.selection;
  if (chip(context.theme, "un-rotated", selection.frame == Frame::unrotated,
           "Errors of the complex state's input term: mu = A - iω, with ω = π tanh(raw) of each pair.")) {
    selection.frame = Frame::unrotated;
  }
  ImGui::SameLine(0, 4 * context.theme.scale);
  if (chip(context.theme, "stored frame", selection.frame == Frame::stored,
           "Errors of the stored state's input term: mu = A, with rotated keys.")) {
    selection.frame = Frame::stored;
  }
}

void draw_error_plot(PanelContext& context, const char* id, const ErrorSeries& series, std::int64_t shown, ImVec2 size,
                     ErrorKind kind) {
  const Theme& theme = context.theme;
  const Frame frame = context.workspace.selection.frame;
  const bool local = kind == ErrorKind::local;
  const char* label = size.y < 190 * theme.scale ? "rel. error"
                      : local                    ? "relative local error"
                                                 : "relative accumulated error";
  if (!begin_plot(context, id, size, "token", label)) return;
  const double first = series.token.empty() ? 0 : series.token.front();
  const double last = std::max(first + 1, series.token.empty() ? 1.0 : series.token.back());
  const double low = series.any ? series.low : 1e-4, high = series.any ? series.high : 1;
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  // A low plot has its legend outside, where it covers no curve: at its side where it is wide, else above.
  const bool low_plot = size.y < 150 * theme.scale, beside = low_plot && size.x > 320 * theme.scale;
  const double bottom = low / 3, top = high * (low_plot ? 3 : 8);
  follow_limits(first - 0.5, last + 0.5, bottom, top);
  // Wider than the first view, so that zooming out finds ticks.
  setup_decades(bottom * 1e-3, top * 1e3, size.y * 2.2F, std::log10(high / low));
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  if (beside)
    ImPlot::SetupLegend(ImPlotLocation_East, ImPlotLegendFlags_Outside);
  else if (low_plot)
    ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
  else
    ImPlot::SetupLegend(ImPlotLocation_NorthWest, ImPlotLegendFlags_Horizontal);
  const bool narrow = size.x < 330 * theme.scale;
  const std::string own = name_of_model_rule(context);
  const char* const names[] = {rule_names[0], rule_names[1], own.c_str()};
  constexpr const char* brief[] = {"Euler", "trapezoid", "model"};
  const auto count = static_cast<int>(series.token.size());
  constexpr ImPlotMarker markers[] = {ImPlotMarker_Circle, ImPlotMarker_Square, ImPlotMarker_Diamond};
  for (int rule = 0; rule < 3; ++rule) {
    const ImVec4 colour = colour_of(theme, static_cast<Rule>(rule));
    const bool few = count <= 48;
    const auto at = static_cast<std::size_t>(rule);
    ImPlot::PlotLine(narrow ? brief[at] : names[at], series.token.data(), series.error[at].data(), count,
                     few ? line_with_markers(colour, markers[rule], 2.2F * theme.scale, 1.5F * theme.scale)
                         : line_spec(colour, 1.5F * theme.scale));
  }
  mark_x(theme, static_cast<double>(shown));
  if (ImPlot::IsPlotHovered() && count > 0) {
    const auto at = static_cast<std::int64_t>(std::lround(ImPlot::GetPlotMousePos().x - first));
    if (at >= 0 && at < count) {
      const auto i = static_cast<std::size_t>(at);
      ImGui::BeginTooltip();
      ImGui::Text("token %.0f, %s frame, relative to %s", series.token[i],
                  frame == Frame::unrotated ? "un-rotated" : "stored", local ? "|E|" : "|exact state|");
      for (std::size_t rule = 0; rule < 3; ++rule) {
        ImGui::TextColored(colour_of(theme, static_cast<Rule>(rule)), "%s  %s", names[rule],
                           number_text(series.error[rule][i], 3).c_str());
      }
      ImGui::EndTooltip();
      if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0) {
        context.workspace.select_token(static_cast<std::int64_t>(series.token[i]));
      }
    }
  }
  end_plot(context, [&] {
    const std::string name = frame == Frame::unrotated ? "errors-unrotated" : "errors-stored";
    return Table{local ? name : "accumulated-" + name,
                 {{"token", series.token},
                  {"euler (relative)", series.error[0]},
                  {"trapezoid (relative)", series.error[1]},
                  {"model lambda (relative)", series.error[2]}}};
  });
}

std::string error_caption(const ErrorSeries& series, Frame frame, bool brief) {
  const bool fast = frame == Frame::unrotated && series.fastest_turn > 0.3 * pi;
  if (brief) {
    return fast ? fmt::format("Up to {} rad a step: outside the regime of orders.", number_text(series.fastest_turn, 3))
                : std::string("Relative to E under linear B x between tokens.");
  }
  std::string text = fmt::format(
      "Relative local error of each rule's input term under the linear interpolant of B_t x_t, {} frame. Second order "
      "holds for constant A only. Running the model itself as Euler would be an effect, not an error.",
      frame == Frame::unrotated ? "un-rotated" : "stored");
  if (fast) {
    text += fmt::format(
        " This head turns up to {} rad in one step: half a turn per step lies outside the regime in "
        "which orders mean anything.",
        number_text(series.fastest_turn, 3));
  }
  return text;
}

}  // namespace app
