// How the time of what is selected is distributed over tokens: bins, the median and the quantiles marked, outliers counted
// and listed. A click on a bin or a listed token shows that token everywhere.
#include "app/panels/empty_state.h"
#include "app/panels/plot.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

// Null: it is being made.
const TimingDistribution* distribution_of(Workspace& workspace, Document& document, bool active) {
  // A stage is one of the active document's plan; a kind means the same in every one.
  const int stage = active ? workspace.selection.stage : -1, kind = workspace.selection.stage_kind;
  return made_of(workspace, document, document.timing_cache.distribution, {document.timing_cache.newest, stage, kind},
                 [stage, kind](const engine::StepPlan& plan, const MeasuredTimes& times) {
                   return make_timing_distribution(plan, times, stage, kind);
                 });
}

Table histogram_table(const TimingDistribution& d) {
  Table table{"timing-histogram", {{"from (us)", {}}, {"to (us)", {}}, {"tokens", {}}}};
  for (std::size_t i = 0; i < d.counts.size(); ++i) {
    const double from = d.low_us + static_cast<double>(i) * d.width_us;
    table.columns[0].values.push_back(from);
    table.columns[1].values.push_back(from + d.width_us);
    table.columns[2].values.push_back(d.counts[i]);
  }
  if (d.above > 0) {
    table.columns[0].values.push_back(d.low_us + d.width_us * static_cast<double>(d.counts.size()));
    table.columns[1].values.push_back(d.max_us);
    table.columns[2].values.push_back(d.above);
  }
  return table;
}

// A line through the plot with its name at the top.
void mark(const Theme& theme, double x, const ImVec4& colour, const char* name, float row) {
  const ImVec2 top = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const float at = std::floor(ImPlot::PlotToPixels(x, 0.0).x) + 0.5F;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  list->AddLine({at, top.y}, {at, top.y + size.y}, packed(colour, 0.9F), std::max(1.0F, 1.2F * theme.scale));
  const ImVec2 words = ImGui::CalcTextSize(name);
  float left = at + 3 * theme.scale;
  if (left + words.x > top.x + size.x) left = at - 3 * theme.scale - words.x;
  const ImVec2 corner(left, top.y + 2 * theme.scale + row * words.y);
  list->AddRectFilled({corner.x - 1, corner.y}, {corner.x + words.x + 1, corner.y + words.y}, packed(theme.well, 0.8F));
  list->AddText(corner, packed(colour), name);
}

// Right of the bins the axis is not to scale: no number stands there.
int label_within(double value, char* out, int size, void* end) {
  const bool beyond = value > *static_cast<const double*>(end);
  const auto last = fmt::format_to_n(out, size - 1, "{}", beyond ? std::string() : fmt::format("{:g}", value));
  *last.out = '\0';
  return static_cast<int>(last.out - out);
}

void draw_summary(const Theme& theme, Workspace& workspace, const TimingDistribution& d) {
  push_small(theme);
  ImGui::PushTextWrapPos(0);
  ImGui::TextColored(theme.secondary, "median %s µs, middle half %s to %s, 5 to 95 %%: %s to %s µs of %s tokens",
                     number_text(d.median_us).c_str(), number_text(d.p25_us).c_str(), number_text(d.p75_us).c_str(),
                     number_text(d.p5_us).c_str(), number_text(d.p95_us).c_str(),
                     count_text(static_cast<long long>(d.tokens)).c_str());
  ImGui::PopTextWrapPos();
  if (d.outliers.empty()) {
    ImGui::TextColored(theme.secondary, "no outliers");
    tooltip(
        fmt::format("No token took more than {} µs: {:g} sigma above the median, where sigma is 1.4826 times the "
                    "median absolute deviation, at least 1 % of the median and a tick of the clock.",
                    three_digits(d.limit_us), profiler::outlier_sigmas));
  } else {
    ImGui::TextColored(theme.value, "%zu outlier%s above %s µs:", d.outliers.size(), d.outliers.size() == 1 ? "" : "s",
                       three_digits(d.limit_us).c_str());
    tooltip(fmt::format(
        "Beyond {:g} sigma above the median; sigma is 1.4826 times the median absolute deviation, at "
        "least 1 % of the median and a tick of the clock. They lie right of the bins. Click a token to see it.",
        profiler::outlier_sigmas));
    for (std::size_t i = 0; i < d.outliers.size(); ++i) {
      const std::string label =
          fmt::format("token {}: {} µs", d.outliers[i].token, three_digits(d.outliers[i].time_ns / 1e3));
      ImGui::SameLine(0, 8 * theme.scale);
      if (ImGui::CalcTextSize(label.c_str()).x > ImGui::GetContentRegionAvail().x) {
        ImGui::TextColored(theme.secondary, "…");
        break;
      }
      ImGui::PushID(static_cast<int>(i));
      if (link(theme, label.c_str())) workspace.select_token(d.outliers[i].token);
      ImGui::PopID();
    }
  }
  ImGui::PopFont();
}

}  // namespace

void draw_timing_histogram(PanelContext& context, Document& document, ImVec2 size) {
  const Theme& theme = context.theme;
  Workspace& workspace = context.workspace;
  const TimingDistribution* made = distribution_of(workspace, document, &document == &workspace.document());
  if (made == nullptr) return draw_counting(context, document, document.timing_cache.distribution, size);
  const TimingDistribution& d = *made;
  if (d.tokens == 0) {
    draw_empty_state(theme, "Nothing to count", d.title + " was not measured in any token. Choose another stage.");
    return;
  }
  const float line = ImGui::GetTextLineHeightWithSpacing();
  // A low panel keeps the plot; the summary is in the tool tip.
  const bool words = size.y > 8 * line;
  const float begin = ImGui::GetCursorPosY();
  heading(theme, fmt::format("{} over {} tokens", d.title, count_text(static_cast<long long>(d.tokens))),
          "Click a stage in the timeline or a row of the table to choose it, once more for the whole step.");
  if (words) draw_summary(theme, workspace, d);
  size.y = std::max(4 * line, size.y - (ImGui::GetCursorPosY() - begin));
  size.x -= 10 * theme.scale;
  const std::string axis = fmt::format("µs · {}", source_words(document.timing_cache.table.source, d.waiting_out));
  if (!begin_plot(context, "##histogram", size, axis.c_str(), "tokens", ImPlotFlags_NoLegend)) return;
  const double high = d.low_us + d.width_us * static_cast<double>(d.counts.size());
  const double margin = std::max(0.04 * (high - d.low_us), 1e-6);
  const double most = *std::max_element(d.counts.begin(), d.counts.end());
  // What lies right of the bins is one hatched bar behind a gap, as wide as a tenth of the bins.
  const double beyond = d.above > 0 ? 0.10 * (high - d.low_us) + 2 * margin : 0;
  follow_limits(d.low_us - margin, high + margin + beyond, 0, 1.25 * std::max(most, d.above));
  ImPlot::SetupAxisFormat(ImAxis_Y1, whole_label, nullptr);
  double last_labelled = d.above > 0 ? high + 0.5 * margin : INFINITY;
  ImPlot::SetupAxisFormat(ImAxis_X1, label_within, &last_labelled);
  ImPlot::SetupFinish();
  ImPlot::PushPlotClipRect();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec4 colour = d.kind >= 0 ? stage_colour(d.kind) : theme.accent;
  for (std::size_t i = 0; i < d.counts.size(); ++i) {
    if (d.counts[i] == 0) continue;
    const double from = d.low_us + static_cast<double>(i) * d.width_us;
    const ImVec2 a = ImPlot::PlotToPixels(from, d.counts[i]), b = ImPlot::PlotToPixels(from + d.width_us, 0.0);
    list->AddRectFilled({a.x, a.y}, {std::max(a.x + 1, b.x - 1), b.y}, packed(colour, 0.75F));
  }
  if (d.above > 0) {
    const double from = high + 2 * margin;
    const ImVec2 a = ImPlot::PlotToPixels(from, d.above), b = ImPlot::PlotToPixels(from + beyond - 2 * margin, 0.0);
    fill_kind(theme, list, a, {std::max(a.x + 3, b.x), b.y}, nothing_ran, -1);
    list->AddRect(a, {std::max(a.x + 3, b.x), b.y}, packed(theme.value, 0.9F));
    push_small(theme);
    const std::string above = fmt::format("{:.0f} above", d.above);
    const float width = ImGui::CalcTextSize(above.c_str()).x;
    const float right = ImPlot::GetPlotPos().x + ImPlot::GetPlotSize().x - 2;
    list->AddText({std::min((a.x + b.x - width) / 2, right - width), a.y - ImGui::GetFontSize() - 2 * theme.scale},
                  packed(theme.value), above.c_str());
    ImGui::PopFont();
  }
  mark(theme, d.p5_us, theme.secondary, "5 %", 1);
  // Beyond the bins no place is to scale; the words above tell it.
  if (d.p95_us <= high) mark(theme, d.p95_us, theme.secondary, "95 %", 1);
  mark(theme, d.median_us, theme.value, "median", 0);
  ImPlot::PopPlotClipRect();
  if (ImPlot::IsPlotHovered()) {
    const double x = ImPlot::GetPlotMousePos().x;
    if (d.above > 0 && x > high + margin && ImGui::BeginTooltip()) {
      ImGui::Text("%.0f outlier%s above %s µs, the longest %s µs: right of the bins, not to scale", d.above,
                  d.above == 1 ? "" : "s", three_digits(d.limit_us).c_str(), three_digits(d.max_us).c_str());
      ImGui::EndTooltip();
    }
    const auto bin = static_cast<std::int64_t>(std::floor((x - d.low_us) / d.width_us));
    if (bin >= 0 && bin < static_cast<std::int64_t>(d.counts.size()) && ImGui::BeginTooltip()) {
      const double from = d.low_us + static_cast<double>(bin) * d.width_us;
      ImGui::Text("%s", d.title.c_str());
      ImGui::Text("%.0f tokens between %s and %s µs", d.counts[static_cast<std::size_t>(bin)],
                  number_text(from).c_str(), number_text(from + d.width_us).c_str());
      ImGui::Text("median %s µs, 5 to 95 %%: %s to %s µs", number_text(d.median_us).c_str(),
                  number_text(d.p5_us).c_str(), number_text(d.p95_us).c_str());
      if (!d.outliers.empty())
        ImGui::Text("%zu outliers above %s µs, the longest %s µs", d.outliers.size(), three_digits(d.limit_us).c_str(),
                    three_digits(d.max_us).c_str());
      ImGui::TextDisabled("%s", source_words(document.timing_cache.table.source));
      ImGui::EndTooltip();
    }
  }
  end_plot(context, [&] { return histogram_table(d); });
}

}  // namespace app
