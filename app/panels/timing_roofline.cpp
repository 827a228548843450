// Kinds of stages on a roofline: what each computes for a byte, and how fast. The roof is the copy rate measured in the same
// run; without one the points stand alone and the plot says so.
#include "app/panels/empty_state.h"
#include "app/panels/plot.h"
#include "app/panels/roofline_parts.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

namespace app {
namespace {

// Of a recording, or of the same device in the ranks that the window measured.
double copy_rate_of(const Document& document) {
  if (document.recording) return document.recording->copy_bytes_per_second;
  return document.family ? document.family->runs.front().result.copy_bytes_per_second : 0;
}

// Null: it is being made.
const Roofline* roofline_of(Workspace& workspace, Document& document) {
  TimingCache& cache = document.timing_cache;
  if (!cache.table_made) return nullptr;
  const engine::BackendInfo& backend = document.recording ? document.recording->backend : document.snapshot->backend;
  return made_of(
      workspace, document, cache.roofline, {cache.newest, document.counters.get(), copy_rate_of(document)},
      [wall_us = cache.table.wall_us, copy_rate = copy_rate_of(document), peak = backend.fp32_flops_per_second,
       counters = document.counters](const engine::StepPlan& plan, const MeasuredTimes& times) {
        Roofline out = make_roofline(make_timing_rows(plan, times, ProfileRows::kinds), wall_us, copy_rate, peak);
        if (counters && counters->why.reason.empty())
          add_counted(out, *counters, grouped_counters(*counters, plan, ProfileRows::kinds));
        return out;
      });
}

Table roofline_table(const Roofline& roofline) {
  Table table{"roofline",
              {{"stage kind (-1: whole step)", {}},
               {"intensity (flop/byte)", {}},
               {"achieved (GFLOP/s)", {}},
               {"rate (GB/s)", {}},
               {"median (us)", {}},
               {"counted intensity (flop/byte)", {}}}};
  for (const RooflinePoint& point : roofline.points) {
    const double cells[] = {static_cast<double>(point.kind),
                            point.intensity,
                            point.gflop_per_s,
                            point.gb_per_s,
                            point.median_us,
                            point.counted_intensity > 0 ? point.counted_intensity : std::nan("")};
    for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].values.push_back(cells[i]);
  }
  return table;
}

// Kinds that take less than this are named only when they are hovered or chosen.
double named_from(const Roofline& roofline) {
  constexpr std::size_t most_names = 5;
  std::vector<double> times;
  for (const RooflinePoint& point : roofline.points)
    if (point.kind >= 0) times.push_back(point.median_us);
  if (times.size() <= most_names) return 0;
  std::nth_element(times.begin(), times.begin() + most_names - 1, times.end(), std::greater<>());
  return times[most_names - 1];
}

bool stands_alone(const std::vector<ImVec2>& places, std::size_t i, float distance) {
  for (std::size_t j = 0; j < places.size(); ++j)
    if (j != i && std::hypot(places[j].x - places[i].x, places[j].y - places[i].y) < distance) return false;
  return true;
}

// The chosen one, the longest ones, the step and whoever stands alone are named, from the highest point on; the others tell
// it when hovered. A name that had to move away is tied to its point.
void draw_names(PanelContext& context, const Roofline& roofline, const std::vector<ImVec2>& places, float radius,
                Labels& labels) {
  const Theme& theme = context.theme;
  const int chosen = context.workspace.selection.stage_kind;
  const double least_named_us = named_from(roofline);
  std::vector<std::size_t> order(places.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return places[a].y < places[b].y; });
  ImDrawList* list = ImPlot::GetPlotDrawList();
  for (const std::size_t i : order) {
    const RooflinePoint& point = roofline.points[i];
    const bool alone = stands_alone(places, i, 12 * radius);
    if (point.kind >= 0 && point.kind != chosen && point.median_us < least_named_us && !alone) continue;
    const ImVec2 words = ImGui::CalcTextSize(point.name.c_str());
    ImVec2 at;
    if (alone ? !labels.place(places[i], words, radius + 5 * theme.scale, at)
              : !labels.place_right(places[i], words, radius + 10 * theme.scale, at))
      continue;
    list->AddText(at, packed(chosen >= 0 && point.kind != chosen ? theme.faint : theme.secondary), point.name.c_str());
    if (alone) continue;
    labels.keep_clear(
        {{at.x - 2 * theme.scale, std::min(places[i].y, at.y)}, {at.x + 1, at.y + words.y}});  // of its line
    const ImVec2 tie(at.x - 2 * theme.scale, at.y + words.y / 2);
    const float away = std::hypot(tie.x - places[i].x, tie.y - places[i].y), from = radius / away;
    list->AddLine({places[i].x + from * (tie.x - places[i].x), places[i].y + from * (tie.y - places[i].y)}, tie,
                  packed(point.kind >= 0 ? stage_colour(point.kind) : theme.text, 0.6F), theme.scale);
  }
}

}  // namespace

void draw_timing_roofline(PanelContext& context, Document& document, ImVec2 size) {
  const Theme& theme = context.theme;
  Workspace& workspace = context.workspace;
  const Roofline* made = roofline_of(workspace, document);
  if (made == nullptr) return draw_counting(context, document, document.timing_cache.roofline, size);
  const Roofline& roofline = *made;
  if (roofline.points.empty()) {
    draw_empty_state(theme, "No stage to place", "None that was measured has operations in the plan.");
    return;
  }
  const float begin = ImGui::GetCursorPosY(), line = ImGui::GetTextLineHeightWithSpacing();
  heading(
      theme, "Roofline: the plan's flops and bytes over median times",
      "Bytes and operations are counted from shapes. A point on the roof moves its bytes as fast as a plain copy. The "
      "flat roof is the fp32 peak of the device's properties: multiprocessors x lanes x 2 x highest clock.");
  if (size.y > 8 * line) {
    push_small(theme);
    ImGui::PushTextWrapPos(0);
    if (roofline.copy_gb_per_s > 0)
      ImGui::TextColored(
          theme.secondary, "fastest %s GB/s, %s of the copy rate%s", number_text(roofline.best_gb_per_s, 3).c_str(),
          fmt::format("{:.0f} %", 100 * roofline.best_gb_per_s / roofline.copy_gb_per_s).c_str(),
          roofline.best_gb_per_s <= roofline.copy_gb_per_s  ? ""
          : leaves_waiting_out(document.timing_cache.table) ? "; above it: fetched while the kernel before it ran "
                                                              "(programmatic dependent launch), or held by a cache"
                                                            : "; above it: some of its bytes were held by a cache");
    else
      ImGui::TextColored(
          theme.secondary,
          "no roof of bandwidth: the copy rate was not measured (profile --save and the ranks measure it)");
    ImGui::PopTextWrapPos();
    ImGui::PopFont();
  }
  size.y = std::max(4 * line, size.y - (ImGui::GetCursorPosY() - begin));
  size.x -= 10 * theme.scale;
  const std::string axis =
      fmt::format("flop for each byte · {}",
                  source_words(document.timing_cache.table.source, leaves_waiting_out(document.timing_cache.table)));
  if (!begin_plot(context, "##roofline", size, axis.c_str(), "GFLOP/s", ImPlotFlags_NoLegend)) return;
  ImPlot::SetupAxisScale(ImAxis_X1, ImPlotScale_Log10);
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  follow_limits(roofline.x_low, roofline.x_high, roofline.y_low, roofline.y_high);
  setup_intensities(roofline.x_low, roofline.x_high);
  setup_decades(roofline.y_low, roofline.y_high, size.y - 3 * line);
  ImPlot::SetupFinish();
  const ImVec2 low = ImPlot::GetPlotPos(), extent = ImPlot::GetPlotSize();
  Labels labels({low, {low.x + extent.x, low.y + extent.y}});
  ImPlot::PushPlotClipRect();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const float radius = 4.5F * theme.scale;
  const RooflinePoint* hovered = nullptr;
  const ImVec2 mouse = ImGui::GetMousePos();
  std::vector<ImVec2> places;
  for (const RooflinePoint& point : roofline.points) {
    places.push_back(ImPlot::PlotToPixels(point.intensity, point.gflop_per_s));
    const float clear = radius + 3 * theme.scale;  // with the frame of the chosen one
    labels.keep_clear(
        {{places.back().x - clear, places.back().y - clear}, {places.back().x + clear, places.back().y + clear}});
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!(roofline.points[i].counted_intensity > 0)) continue;
    const float counted = ImPlot::PlotToPixels(roofline.points[i].counted_intensity, roofline.points[i].gflop_per_s).x;
    labels.keep_clear({{std::min(counted, places[i].x) - radius, places[i].y - radius},
                       {std::max(counted, places[i].x) + radius, places[i].y + radius}});
  }
  draw_roof(theme, roofline.copy_gb_per_s, roofline.peak_gflop_per_s, labels);
  for (std::size_t i = 0; i < roofline.points.size(); ++i) {
    const RooflinePoint& point = roofline.points[i];
    const bool chosen = point.kind >= 0 && workspace.selection.stage_kind == point.kind;
    const bool back = workspace.selection.stage_kind >= 0 && !chosen;
    const ImVec4 colour = point.kind >= 0 ? stage_colour(point.kind) : theme.text;
    // What the memory really moved, by counters: hollow, joined to what the plan counts.
    if (point.counted_intensity > 0) {
      const ImVec2 counted = ImPlot::PlotToPixels(point.counted_intensity, point.gflop_per_s);
      list->AddLine(places[i], counted, packed(colour, 0.6F), theme.scale);
      list->AddCircle(counted, 0.8F * radius, packed(colour, back ? 0.4F : 1.0F), 0, 1.4F * theme.scale);
    }
    // The whole step is a square: told by shape, too.
    if (point.kind < 0)
      list->AddRect({places[i].x - radius, places[i].y - radius}, {places[i].x + radius, places[i].y + radius},
                    packed(colour), 0, 0, 1.8F * theme.scale);
    else
      list->AddCircleFilled(places[i], radius, packed(colour, back ? 0.4F : 1.0F));
    if (chosen) list->AddCircle(places[i], radius + 3 * theme.scale, packed(theme.text), 0, 1.5F * theme.scale);
    const float dx = mouse.x - places[i].x, dy = mouse.y - places[i].y;
    if (ImPlot::IsPlotHovered() && dx * dx + dy * dy < 4 * radius * radius) hovered = &point;
  }
  draw_names(context, roofline, places, radius, labels);
  ImPlot::PopPlotClipRect();
  if (hovered != nullptr && ImGui::BeginTooltip()) {
    ImGui::Text("%s · median %s µs", hovered->name.c_str(), three_digits(hovered->median_us).c_str());
    ImGui::Text("%s flop for each byte, %s GFLOP/s, %s GB/s", number_text(hovered->intensity, 3).c_str(),
                number_text(hovered->gflop_per_s, 3).c_str(), number_text(hovered->gb_per_s, 3).c_str());
    if (hovered->of_roof > 0) ImGui::Text("%s of the copy rate", percent_text(hovered->of_roof).c_str());
    if (hovered->counted_intensity > 0)
      ImGui::Text("hollow: %s flop for each byte that the memory moved, by hardware counters",
                  number_text(hovered->counted_intensity, 3).c_str());
    ImGui::EndTooltip();
    if (hovered->kind >= 0 && ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0)
      toggle_kind(workspace.selection, hovered->kind);
  }
  end_plot(context, [&] { return roofline_table(roofline); });
}

}  // namespace app
