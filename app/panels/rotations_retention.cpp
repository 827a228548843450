// How long a token's contribution lasts in the selected layer: lines from the model's own coefficients, markers from
// taking the contribution away and stepping on. The two must agree; where they do not, the markers are rounding.
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/rotations.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/in_force.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"
#include "engine/analysis/retention.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace app {

namespace {

constexpr double quick_s = 0.25;  // a run this short follows the context by itself

// The token that is probed: the selected one, and while the newest is followed the first of the window.
std::int64_t probed_token(const RotationsData& data, const Selection& selection) {
  if (selection.token >= 0 && data.index + 1 < static_cast<std::int64_t>(data.snapshot->tokens.size()))
    return data.index;
  const auto first = data.memory.token.empty() ? 0 : static_cast<std::int64_t>(data.memory.token.front());
  return std::min(first, std::max<std::int64_t>(data.index - 1, 0));
}

bool fits(const RetentionReport& report, const engine::Snapshot& snapshot) {
  if (report.model.lock() != snapshot.model || report.ids.size() > snapshot.tokens.size() ||
      report.interventions != snapshot.interventions)
    return false;
  for (std::size_t i = 0; i < report.ids.size(); ++i) {
    if (report.ids[i] != snapshot.tokens[i]->id) return false;
  }
  return true;
}

struct Curves {
  const engine::RetentionProbe* probe = nullptr;
  int head = -1;
  std::vector<double> token, analytic, measured;  // of the largest analytic value
  double half_life = 0;                           // tokens
  double floor = 0;                               // below it a measured value is rounding
  double apart = 0;                               // largest |measured - analytic|, of the largest value
};

Curves curves_of(const engine::RetentionProbe& probe, int head) {
  Curves curves;
  curves.probe = &probe;
  curves.head = head;
  const engine::HeadRetention& of = probe.heads[static_cast<std::size_t>(head)];
  double peak = 0, state = 0;
  for (const double value : of.analytic) peak = std::max(peak, value);
  for (const double value : of.state) state = std::max(state, value);
  if (!(peak > 0)) return curves;
  for (std::size_t i = 0; i < of.analytic.size(); ++i) {
    curves.token.push_back(static_cast<double>(probe.token) + static_cast<double>(i));
    curves.analytic.push_back(of.analytic[i] / peak);
    curves.measured.push_back(of.measured[i] / peak);
    curves.apart = std::max(curves.apart, std::abs(curves.measured[i] - curves.analytic[i]));
  }
  curves.half_life = engine::retention_half_life(of.analytic);
  curves.floor = engine::RetentionProbe::rounding * state / peak;
  return curves;
}

Table retention_table(const engine::RetentionProbe& probe) {
  Table table{"retention", {{"token", {}}, {"head", {}}, {"analytic", {}}, {"measured", {}}, {"state norm", {}}}};
  for (std::size_t head = 0; head < probe.heads.size(); ++head) {
    const engine::HeadRetention& of = probe.heads[head];
    for (std::size_t i = 0; i < of.analytic.size(); ++i) {
      table.columns[0].values.push_back(static_cast<double>(probe.token) + static_cast<double>(i));
      table.columns[1].values.push_back(static_cast<double>(head));
      table.columns[2].values.push_back(of.analytic[i]);
      table.columns[3].values.push_back(of.measured[i]);
      table.columns[4].values.push_back(of.state[i]);
    }
  }
  return table;
}

void draw_curves(PanelContext& context, const RotationsData& data, const Curves& curves) {
  const Theme& theme = context.theme;
  double low = 1;
  for (const double value : curves.analytic) {
    if (value > 0) low = std::min(low, value);
  }
  low = std::max(low, 1e-7);
  const ImVec2 size = ImGui::GetContentRegionAvail();
  if (!begin_plot(context, "##retention", size, "token", "what is left")) return;
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  const double bottom = std::min(low / 2, 0.2), first = curves.token.front(), last = curves.token.back();
  follow_limits(first - 0.5, std::max(last, first + 1) + 0.5, bottom, 1.8);
  setup_decades(bottom * 1e-2, 10, size.y * 1.6F, std::log10(1.8 / bottom));
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  ImPlot::SetupLegend(ImPlotLocation_SouthWest, ImPlotLegendFlags_Horizontal);
  // The other heads of the layer, faint: how this one compares.
  const engine::RetentionProbe& probe = *curves.probe;
  for (std::size_t head = 0; head < probe.heads.size() && probe.heads.size() <= 64; ++head) {
    if (static_cast<int>(head) == curves.head) continue;
    const Curves other = curves_of(probe, static_cast<int>(head));
    if (other.token.empty()) continue;
    const ImVec4 faint(theme.secondary.x, theme.secondary.y, theme.secondary.z, 0.3F);
    ImPlot::PlotLine("other heads", other.token.data(), other.analytic.data(), static_cast<int>(other.token.size()),
                     line_spec(faint, 1.0F));
  }
  const auto count = static_cast<int>(curves.token.size());
  ImPlot::PlotLine("from coefficients", curves.token.data(), curves.analytic.data(), count, line_spec(theme.accent));
  ImPlotSpec dots = line_with_markers(theme.value, ImPlotMarker_Circle, 2.6F * theme.scale);
  dots.MarkerFillColor = ImVec4(0, 0, 0, 0);
  ImPlot::PlotScatter("measured", curves.token.data(), curves.measured.data(), count, dots);
  mark_x(theme, static_cast<double>(data.index));
  if (std::isfinite(curves.half_life)) {
    // Half of the peak is left here.
    const auto peak = std::max_element(curves.analytic.begin(), curves.analytic.end()) - curves.analytic.begin();
    const double x = curves.token[static_cast<std::size_t>(peak)] + curves.half_life;
    const ImVec2 at = ImPlot::PlotToPixels(x, 0.5), foot = ImPlot::PlotToPixels(x, ImPlot::GetPlotLimits().Y.Min);
    ImPlot::PushPlotClipRect();
    ImDrawList* list = ImPlot::GetPlotDrawList();
    const float dash = 6 * theme.scale;
    const int dashes = static_cast<int>(std::ceil(std::max(0.0F, foot.y - at.y) / dash));
    for (int i = 0; i < dashes; ++i) {
      const float y = at.y + static_cast<float>(i) * dash;
      list->AddLine({at.x, y}, {at.x, std::min(y + dash / 2, foot.y)}, packed(theme.text, 0.6F), theme.scale);
    }
    list->AddCircle(at, 4 * theme.scale, packed(theme.text), 16, 1.4F * theme.scale);
    list->AddText({at.x + 6 * theme.scale, at.y - ImGui::GetTextLineHeight()}, packed(theme.text), "½");
    ImPlot::PopPlotClipRect();
  }
  if (ImPlot::IsPlotHovered()) {
    const auto at = static_cast<std::int64_t>(std::lround(ImPlot::GetPlotMousePos().x - first));
    if (at >= 0 && at < count) {
      const auto i = static_cast<std::size_t>(at);
      ImGui::BeginTooltip();
      ImGui::Text("after token %.0f “%s”", curves.token[i],
                  token_text(*data.snapshot, static_cast<std::int64_t>(curves.token[i])).c_str());
      ImGui::Text("from coefficients %s, measured %s", number_text(curves.analytic[i], 5).c_str(),
                  number_text(curves.measured[i], 5).c_str());
      if (curves.analytic[i] < curves.floor * 100) ImGui::TextUnformatted("close to rounding");
      ImGui::EndTooltip();
    }
  }
  end_plot(context, [&] { return retention_table(probe); });
}

}  // namespace

void draw_retention(PanelContext& context, const RotationsData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  Workspace& workspace = context.workspace;
  Document& document = workspace.document();
  ImGui::BeginChild("retention", size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  static std::shared_ptr<const RetentionReport> shown;  // the last whole one
  const auto report = document.retention ? document.retention->report() : nullptr;
  if (report && report->probe) shown = report;
  const bool mine = shown && shown->probe && shown->layer == data.selection.layer && fits(*shown, *data.snapshot) &&
                    data.selection.head < static_cast<int>(shown->probe->heads.size());
  const std::int64_t wanted = probed_token(data, data.selection);
  const bool current = mine && shown->token == wanted && shown->ids.size() == data.snapshot->tokens.size();
  const bool running = report && report->running;
  // One that was quick is repeated by itself, unless somebody stopped it.
  const bool quick = shown && shown->model.lock() == data.snapshot->model && shown->seconds < quick_s;
  if (!current && !running && quick && !(report && (report->error || report->cancelled)))
    workspace.requests.retention = wanted;
  const std::string token = fmt::format("“{}”, token {}", token_text(*data.snapshot, wanted), wanted);
  const std::string from = starts_from_words(data.snapshot->interventions);
  if (report && report->error) {
    heading(theme, "retention");
    note(theme, report->error->message);
    if (link(theme, "Try again")) workspace.requests.retention = wanted;
  } else if (!mine) {
    heading(theme, fmt::format("retention of {}", token));
    if (running) {
      note(theme, fmt::format("Stepping the tokens twice, in the background: {:.0f} %.", 100 * report->done));
      if (link(theme, "Cancel")) document.retention->cancel();
    } else {
      note(theme,
           fmt::format("{}How long does what {} wrote into layer {} last? From the model's coefficients, and measured: "
                       "the tokens are stepped twice, once with the contribution taken away.",
                       from, token, data.selection.layer));
      if (link(theme, "Measure")) workspace.requests.retention = wanted;
    }
  } else {
    const Curves curves = curves_of(*shown->probe, data.selection.head);
    heading(
        theme,
        fmt::format("{}what is left of {}: half-life {} tokens; measured within {}", from.empty() ? "" : "in force; ",
                    fmt::format("“{}”, token {}", token_text(*data.snapshot, shown->token), shown->token),
                    std::isinf(curves.half_life) ? "∞" : number_text(curves.half_life, 3),
                    number_text(curves.apart, 1)),
        (from +
         "Lines: |w| of the selected head, w_t = γ_t, then α γ_t + β (the trapezoid writes twice), then a product of "
         "α; of its largest value. What ranks write and cells that are changed are in it. Markers: |H − H without the "
         "contribution|, two sequences of one batch. A layer's own inputs do not depend on its own state, so both are "
         "the same up to rounding, in every layer. In the stored frame it keeps its direction; un-rotated, pair by "
         "pair, it turns by −Δθ.")
            .c_str());
    if (!current && !running) {
      ImGui::SameLine();
      if (link(theme, "measure again")) workspace.requests.retention = wanted;
    }
    if (curves.token.empty()) {
      note(theme, "This token wrote nothing into this head.");
    } else {
      draw_curves(context, data, curves);
    }
  }
  ImGui::EndChild();
}

}  // namespace app
