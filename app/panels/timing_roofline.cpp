// Kinds of stages on a roofline: what each computes for a byte, and how fast. The roof is the copy rate measured in the same
// run; without one the points stand alone and the plot says so.
#include "app/panels/empty_state.h"
#include "app/panels/plot.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace app {
namespace {

const Roofline& roofline_of(Document& document) {
  TimingCache::Roof& cache = document.timing_cache.roofline;
  if (cache.of != document.timing_cache.newest) {
    cache.values = make_roofline(make_timing_rows(document.plan(), document.timing_cache.tokens, ProfileRows::kinds),
                                 document.timing_cache.table.wall_us,
                                 document.recording ? document.recording->copy_bytes_per_second : 0);
    cache.of = document.timing_cache.newest;
  }
  return cache.values;
}

Table roofline_table(const Roofline& roofline) {
  Table table{"roofline",
              {{"stage kind (-1: whole step)", {}},
               {"intensity (flop/byte)", {}},
               {"achieved (GFLOP/s)", {}},
               {"rate (GB/s)", {}},
               {"median (us)", {}}}};
  for (const RooflinePoint& point : roofline.points) {
    const double cells[] = {static_cast<double>(point.kind), point.intensity, point.gflop_per_s, point.gb_per_s,
                            point.median_us};
    for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].values.push_back(cells[i]);
  }
  return table;
}

// Ticks at 1, 2 and 5 of each decade: intensities of a model span little more than one.
void setup_intensities(double low, double high) {
  static std::vector<std::string> words;  // outlives SetupFinish
  std::vector<double> at;
  std::vector<const char*> labels;
  words.clear();
  for (int exponent = -4; exponent <= 5; ++exponent)
    for (const double digit : {1.0, 2.0, 5.0})
      if (const double value = digit * std::pow(10.0, exponent); value >= low && value <= high) {
        at.push_back(value);
        words.push_back(number_text(value, 2));
      }
  labels.reserve(words.size());
  for (const std::string& word : words) labels.push_back(word.c_str());
  if (!at.empty() && at.size() <= 12)
    ImPlot::SetupAxisTicks(ImAxis_X1, at.data(), static_cast<int>(at.size()), labels.data());
}

// Puts names beside their points where nothing else stands; one that finds no room is left to the tool tip.
class Labels {
 public:
  explicit Labels(const ImRect& area) : area_(area) {}
  void keep_clear(const ImRect& taken) { taken_.push_back(taken); }
  bool taken(const ImRect& wanted) const {
    return std::any_of(taken_.begin(), taken_.end(), [&](const ImRect& r) { return r.Overlaps(wanted); });
  }
  bool place(ImVec2 point, ImVec2 size, float distance, ImVec2& at) {
    const float row = 0.55F * size.y;
    for (int ring = 0; ring < 5; ++ring) {
      for (const float side : {1.0F, -1.0F}) {
        for (const float sign : {-1.0F, 1.0F}) {
          const float x = side > 0 ? point.x + distance : point.x - distance - size.x;
          const float y = point.y - size.y / 2 + sign * static_cast<float>(ring) * row;
          const ImRect wanted(x, y, x + size.x, y + size.y);
          const bool inside = area_.Contains(wanted);
          if (!inside || taken(wanted)) continue;
          taken_.push_back(wanted);
          at = wanted.Min;
          return true;
        }
      }
    }
    return false;
  }

 private:
  ImRect area_;
  std::vector<ImRect> taken_;
};

void draw_roof(const Theme& theme, const Roofline& roofline, Labels& labels) {
  if (!(roofline.copy_gb_per_s > 0)) return;
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const auto at = [&](double x) { return ImPlot::PlotToPixels(x, x * roofline.copy_gb_per_s); };
  const ImVec2 from = at(limits.X.Min), to = at(limits.X.Max);
  ImDrawList* list = ImPlot::GetPlotDrawList();
  list->AddLine(from, to, packed(theme.value), 1.8F * theme.scale);
  const std::string words = fmt::format("copy rate {} GB/s", number_text(roofline.copy_gb_per_s, 3));
  const ImVec2 size = ImGui::CalcTextSize(words.c_str());
  // Above the roof, where it is free of points: no stage that really comes from memory can lie there.
  const ImVec2 low = ImPlot::GetPlotPos(), extent = ImPlot::GetPlotSize();
  ImVec2 corner(low.x + 4, low.y + 4);
  for (int step = 0; step < 40; ++step) {
    const float x = low.x + 4 * theme.scale + static_cast<float>(step) / 40 * (extent.x - size.x - 8 * theme.scale);
    const float slope = (to.y - from.y) / std::max(1.0F, to.x - from.x);
    const float y = from.y + slope * (x + size.x - from.x) - size.y - 3 * theme.scale;
    const ImRect wanted({x, y}, {x + size.x, y + size.y});
    if (y < low.y || y + size.y > low.y + extent.y || labels.taken(wanted)) continue;
    corner = {x, y};
    break;
  }
  list->AddRectFilled(corner, {corner.x + size.x, corner.y + size.y}, packed(theme.well, 0.7F));
  list->AddText(corner, packed(theme.value), words.c_str());
  // Names keep off the line.
  for (int i = 0; i < 64; ++i) {
    const float t = (static_cast<float>(i) + 0.5F) / 64, half = 0.5F * std::abs(to.y - from.y) / 64;
    const ImVec2 on(from.x + t * (to.x - from.x), from.y + t * (to.y - from.y));
    labels.keep_clear({{on.x - 1, on.y - half}, {on.x + 1, on.y + half}});
  }
  labels.keep_clear({corner, {corner.x + size.x, corner.y + size.y}});
}

}  // namespace

void draw_timing_roofline(PanelContext& context, Document& document, ImVec2 size) {
  const Theme& theme = context.theme;
  Workspace& workspace = context.workspace;
  const Roofline& roofline = roofline_of(document);
  if (roofline.points.empty()) {
    draw_empty_state(theme, "No stage to place", "None that was measured has operations in the plan.");
    return;
  }
  const float begin = ImGui::GetCursorPosY(), line = ImGui::GetTextLineHeightWithSpacing();
  heading(theme, "Roofline: the plan's flops and bytes over median times",
          "Bytes and operations are counted from shapes. A point on the roof moves its bytes as fast as a plain copy.");
  if (size.y > 8 * line) {
    push_small(theme);
    ImGui::PushTextWrapPos(0);
    if (roofline.copy_gb_per_s > 0)
      ImGui::TextColored(theme.secondary, "fastest %s GB/s, %s of the copy rate; above it: served by a cache",
                         number_text(roofline.best_gb_per_s, 3).c_str(),
                         fmt::format("{:.0f} %", 100 * roofline.best_gb_per_s / roofline.copy_gb_per_s).c_str());
    else
      ImGui::TextColored(theme.secondary, "no roof: the copy rate was not measured (profile --save measures it)");
    ImGui::PopTextWrapPos();
    ImGui::PopFont();
  }
  size.y = std::max(4 * line, size.y - (ImGui::GetCursorPosY() - begin));
  size.x -= 10 * theme.scale;
  const std::string axis = fmt::format("flop for each byte · {}", source_words(document.timing_cache.table.source));
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
    labels.keep_clear(
        {{places.back().x - radius, places.back().y - radius}, {places.back().x + radius, places.back().y + radius}});
  }
  draw_roof(theme, roofline, labels);
  for (std::size_t i = 0; i < roofline.points.size(); ++i) {
    const RooflinePoint& point = roofline.points[i];
    const bool chosen = point.kind >= 0 && workspace.selection.stage_kind == point.kind;
    const bool back = workspace.selection.stage_kind >= 0 && !chosen;
    const ImVec4 colour = point.kind >= 0 ? stage_colour(point.kind) : theme.text;
    // The whole step is a square: told by shape, too.
    if (point.kind < 0)
      list->AddRect({places[i].x - radius, places[i].y - radius}, {places[i].x + radius, places[i].y + radius},
                    packed(colour), 0, 0, 1.8F * theme.scale);
    else
      list->AddCircleFilled(places[i], radius, packed(colour, back ? 0.4F : 1.0F));
    if (chosen) list->AddCircle(places[i], radius + 3 * theme.scale, packed(theme.text), 0, 1.5F * theme.scale);
    const float dx = mouse.x - places[i].x, dy = mouse.y - places[i].y;
    if (ImPlot::IsPlotHovered() && dx * dx + dy * dy < 4 * radius * radius) hovered = &point;
    const ImVec2 words = ImGui::CalcTextSize(point.name.c_str());
    ImVec2 at;
    if (labels.place(places[i], words, radius + 4 * theme.scale, at))
      list->AddText(at, packed(back ? theme.faint : theme.secondary), point.name.c_str());
  }
  ImPlot::PopPlotClipRect();
  if (hovered != nullptr && ImGui::BeginTooltip()) {
    ImGui::Text("%s · median %s µs", hovered->name.c_str(), three_digits(hovered->median_us).c_str());
    ImGui::Text("%s flop for each byte, %s GFLOP/s, %s GB/s", number_text(hovered->intensity, 3).c_str(),
                number_text(hovered->gflop_per_s, 3).c_str(), number_text(hovered->gb_per_s, 3).c_str());
    if (hovered->of_roof > 0) ImGui::Text("%s of the copy rate", percent_text(hovered->of_roof).c_str());
    ImGui::EndTooltip();
    if (hovered->kind >= 0 && ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0)
      toggle_kind(workspace.selection, hovered->kind);
  }
  end_plot(context, [&] { return roofline_table(roofline); });
}

}  // namespace app
