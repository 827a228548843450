// One shape at several ranks: the time of each kind of stage against the rank, the ranks as a path over the roofline, and what
// else differs between them. A click on a rank of a recorded family shows its profile on the other pages.
#include "app/panels/empty_state.h"
#include "app/panels/plot.h"
#include "app/panels/roofline_parts.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"
#include "app/wiring/recorded_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

std::size_t records_of(const RankFamily& family) {
  std::size_t records = 0;
  for (const RankRun& run : family.runs)
    for (const auto& token : run.result.tokens) records += token->stages.size();
  return records;
}

// Null: they are being made, for there are many records.
const RankCurves* curves_of(Workspace& workspace, Document& document) {
  auto& kept = document.timing_cache.ranks;
  const RankFamily* family = document.family.get();
  if (kept.poll()) workspace.requests.redraw = true;
  if (const RankCurves* found = kept.get(family)) return found;
  if (kept.making && kept.making_of == family) return nullptr;
  if (records_of(*family) <= TimingCache::most_at_once) {
    kept.put(family, make_rank_curves(*family));
    return kept.values.get();
  }
  kept.start(family,
             [of = document.family](const profiler::GoesOn& goes_on) { return make_rank_curves(*of, goes_on); });
  workspace.requests.redraw = true;
  return nullptr;
}

ImVec4 colour_of(const Theme& theme, int kind) { return kind >= 0 ? stage_colour(kind) : theme.text; }

Table curves_table(const RankCurves& curves) {
  Table table{
      "ranks",
      {{"stage kind (-1: whole step)", {}}, {"rank", {}}, {"median (us)", {}}, {"p5 (us)", {}}, {"p95 (us)", {}}}};
  for (const RankCurve& curve : curves.curves)
    for (const RankPoint& p : curve.points) {
      const double cells[] = {static_cast<double>(curve.kind), static_cast<double>(p.rank), p.median_us, p.p5_us,
                              p.p95_us};
      for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].values.push_back(cells[i]);
    }
  return table;
}

Table path_table(const RankCurves& curves) {
  Table table{"rank-path",
              {{"rank", {}},
               {"executed (flop/byte)", {}},
               {"paper (flop/byte)", {}},
               {"achieved (GFLOP/s)", {}},
               {"rate (GB/s)", {}},
               {"median (us)", {}}}};
  for (const RankPathPoint& p : curves.path) {
    const double cells[] = {static_cast<double>(p.rank), p.executed, p.paper, p.gflop_per_s, p.gb_per_s, p.median_us};
    for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].values.push_back(cells[i]);
  }
  return table;
}

void setup_ranks(const RankCurves& curves) {
  static std::vector<std::string> words;  // outlives SetupFinish
  std::vector<double> at;
  std::vector<const char*> labels;
  words.clear();
  for (const RankPathPoint& point : curves.path) {
    at.push_back(point.rank);
    words.push_back(fmt::format("R = {}", point.rank));
  }
  labels.reserve(words.size());
  for (const std::string& word : words) labels.push_back(word.c_str());
  ImPlot::SetupAxisTicks(ImAxis_X1, at.data(), static_cast<int>(at.size()), labels.data());
}

void draw_times(PanelContext& context, const RankCurves& curves, profiler::TimeSource source, ImVec2 size) {
  const Theme& theme = context.theme;
  const int chosen = context.workspace.selection.stage_kind;
  heading(theme, "Time of a token by rank", "Medians over the measured tokens; the thin bars reach from 5 to 95 %.");
  size.y = ImGui::GetContentRegionAvail().y;
  double low = INFINITY, high = 0;
  for (const RankCurve& curve : curves.curves)
    for (const RankPoint& point : curve.points) {
      low = std::min(low, point.median_us);
      high = std::max(high, point.median_us);
    }
  if (!(high > 0)) return;
  low = std::max(low, high / 3e4);
  const double first = curves.path.front().rank,
               last = std::max(first + 1.0, static_cast<double>(curves.path.back().rank));
  const std::string axis = fmt::format("µs of a token · {}", source_words(source, curves.waiting_out));
  if (!begin_plot(context, "##ranks", size, "rank", axis.c_str(), ImPlotFlags_NoLegend)) return;
  ImPlot::SetupAxisScale(ImAxis_X1, ImPlotScale_Log10);
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  // Room for the names at the right.
  const double names = 150 * static_cast<double>(theme.scale) / std::max(100.0, static_cast<double>(size.x));
  const double span = std::log(last / first) + 0.2;
  follow_limits(first / 1.15, last * std::exp(span * names / std::max(0.2, 1 - names)) * 1.1, low / 1.6, high * 1.8);
  setup_ranks(curves);
  setup_decades(low / 1.6, high * 1.8, size.y - 3 * ImGui::GetTextLineHeightWithSpacing());
  ImPlot::SetupFinish();
  const ImVec2 corner = ImPlot::GetPlotPos(), extent = ImPlot::GetPlotSize(), mouse = ImGui::GetMousePos();
  Labels labels({corner, {corner.x + extent.x, corner.y + extent.y}});
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const RankCurve* hovered = nullptr;
  const RankPoint* hovered_point = nullptr;
  ImPlot::PushPlotClipRect();
  std::vector<const RankCurve*> by_time;
  for (const RankCurve& curve : curves.curves) {
    by_time.push_back(&curve);
    const bool back = chosen >= 0 && curve.kind != chosen;
    const ImU32 colour = packed(colour_of(theme, curve.kind), back ? 0.35F : 1.0F);
    ImVec2 before;
    for (std::size_t i = 0; i < curve.points.size(); ++i) {
      const RankPoint& point = curve.points[i];
      const ImVec2 at = ImPlot::PlotToPixels(static_cast<double>(point.rank), point.median_us);
      if (i > 0) list->AddLine(before, at, colour, (curve.kind < 0 ? 2.4F : 1.6F) * theme.scale);
      if (point.p5_us > 0)
        list->AddLine(ImPlot::PlotToPixels(static_cast<double>(point.rank), point.p5_us),
                      ImPlot::PlotToPixels(static_cast<double>(point.rank), point.p95_us), colour, theme.scale);
      list->AddCircleFilled(at, 3.2F * theme.scale, colour);
      const float dx = mouse.x - at.x, dy = mouse.y - at.y;
      if (ImPlot::IsPlotHovered() && dx * dx + dy * dy < 64 * theme.scale * theme.scale) {
        hovered = &curve;
        hovered_point = &point;
      }
      before = at;
    }
  }
  // The longest are named first; one that finds no room tells its name when it is hovered.
  std::stable_sort(by_time.begin(), by_time.end(), [](const RankCurve* a, const RankCurve* b) {
    return a->points.back().median_us > b->points.back().median_us;
  });
  for (const RankCurve* curve : by_time) {
    const RankPoint& end = curve->points.back();
    const ImVec2 at = ImPlot::PlotToPixels(static_cast<double>(end.rank), end.median_us);
    const std::string words = fmt::format("{} {}", curve->name, three_digits(end.median_us));
    const ImVec2 room = ImGui::CalcTextSize(words.c_str());
    ImVec2 place;
    if (!labels.place_right(at, room, 14 * theme.scale, place)) continue;
    const ImU32 colour = packed(colour_of(theme, curve->kind));
    list->AddText(place, colour, words.c_str());
    list->AddLine({at.x + 4 * theme.scale, at.y}, {place.x - 2 * theme.scale, place.y + room.y / 2},
                  packed(colour_of(theme, curve->kind), 0.6F), theme.scale);
  }
  ImPlot::PopPlotClipRect();
  if (hovered != nullptr && ImGui::BeginTooltip()) {
    ImGui::Text("%s at rank %d: median %s µs, 5 to 95 %%: %s to %s µs", hovered->name.c_str(), hovered_point->rank,
                three_digits(hovered_point->median_us).c_str(), three_digits(hovered_point->p5_us).c_str(),
                three_digits(hovered_point->p95_us).c_str());
    ImGui::EndTooltip();
    if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0) {
      if (hovered->kind >= 0) toggle_kind(context.workspace.selection, hovered->kind);
      context.workspace.choose_rank(hovered_point->rank);
    }
  }
  end_plot(context, [&] { return curves_table(curves); });
}

void draw_path(PanelContext& context, const RankCurves& curves, profiler::TimeSource source, ImVec2 size) {
  const Theme& theme = context.theme;
  heading(
      theme, "The recurrence on the roofline",
      "state_update and readout, or the mixer. Filled: the operations that are executed over the bytes that are read "
      "and written. Hollow: the paper's intensity (Table 2: values of two bytes, the state counted once and not the "
      "previous token's term), at the same speed.");
  size.y = ImGui::GetContentRegionAvail().y;
  double x_low = INFINITY, x_high = 0, y_low = INFINITY, y_high = 0;
  for (const RankPathPoint& point : curves.path) {
    if (!(point.gflop_per_s > 0)) continue;
    x_low = std::min({x_low, point.executed, point.paper});
    x_high = std::max({x_high, point.executed, point.paper});
    y_low = std::min(y_low, point.gflop_per_s);
    y_high = std::max(y_high, point.gflop_per_s);
  }
  if (!(x_high > 0)) return;
  x_low /= 2;
  x_high *= 2;
  y_low /= 3;
  y_high = std::max(y_high, curves.copy_gb_per_s * std::sqrt(x_low * x_high)) * 3;
  if (curves.peak_gflop_per_s > 0 && curves.copy_gb_per_s > 0) {
    x_high = std::max(x_high, 2 * curves.peak_gflop_per_s / curves.copy_gb_per_s);
    y_high = std::max(y_high, 2 * curves.peak_gflop_per_s);
  }
  const std::string axis = fmt::format("flop for each byte · {}", source_words(source, curves.waiting_out));
  if (!begin_plot(context, "##path", size, axis.c_str(), "GFLOP/s", ImPlotFlags_NoLegend)) return;
  ImPlot::SetupAxisScale(ImAxis_X1, ImPlotScale_Log10);
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  follow_limits(x_low, x_high, y_low, y_high);
  setup_intensities(x_low, x_high);
  setup_decades(y_low, y_high, size.y - 3 * ImGui::GetTextLineHeightWithSpacing());
  ImPlot::SetupFinish();
  const ImVec2 corner = ImPlot::GetPlotPos(), extent = ImPlot::GetPlotSize(), mouse = ImGui::GetMousePos();
  Labels labels({corner, {corner.x + extent.x, corner.y + extent.y}});
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const float radius = 4.5F * theme.scale;
  ImPlot::PushPlotClipRect();
  for (const RankPathPoint& point : curves.path)
    for (const double x : {point.executed, point.paper}) {
      const ImVec2 at = ImPlot::PlotToPixels(x, point.gflop_per_s);
      labels.keep_clear({{at.x - radius, at.y - radius}, {at.x + radius, at.y + radius}});
    }
  draw_roof(theme, curves.copy_gb_per_s, curves.peak_gflop_per_s, labels);
  // Names keep off the path.
  for (std::size_t i = 1; i < curves.path.size(); ++i) {
    const ImVec2 a = ImPlot::PlotToPixels(curves.path[i - 1].executed, curves.path[i - 1].gflop_per_s);
    const ImVec2 b = ImPlot::PlotToPixels(curves.path[i].executed, curves.path[i].gflop_per_s);
    for (int step = 1; step < 16; ++step) {
      const ImVec2 on(a.x + (b.x - a.x) * static_cast<float>(step) / 16,
                      a.y + (b.y - a.y) * static_cast<float>(step) / 16);
      labels.keep_clear({{on.x - 1, on.y - 1}, {on.x + 1, on.y + 1}});
    }
  }
  const RankPathPoint* hovered = nullptr;
  ImVec2 before, before_paper;
  for (std::size_t i = 0; i < curves.path.size(); ++i) {
    const RankPathPoint& point = curves.path[i];
    if (!(point.gflop_per_s > 0)) continue;
    const ImVec2 at = ImPlot::PlotToPixels(point.executed, point.gflop_per_s);
    const ImVec2 paper = ImPlot::PlotToPixels(point.paper, point.gflop_per_s);
    if (i > 0) {
      list->AddLine(before, at, packed(theme.accent), 2 * theme.scale);
      list->AddLine(before_paper, paper, packed(theme.secondary, 0.5F), theme.scale);
    }
    list->AddCircleFilled(at, radius, packed(theme.accent));
    list->AddNgon(paper, radius, packed(theme.secondary), 4, 1.4F * theme.scale);
    for (const ImVec2& place : {at, paper}) {
      const float dx = mouse.x - place.x, dy = mouse.y - place.y;
      if (ImPlot::IsPlotHovered() && dx * dx + dy * dy < 4 * radius * radius) hovered = &point;
    }
    const std::string words = fmt::format("R = {}", point.rank);
    ImVec2 place;
    if (labels.place(at, ImGui::CalcTextSize(words.c_str()), radius + 4 * theme.scale, place))
      list->AddText(place, packed(theme.text), words.c_str());
    before = at;
    before_paper = paper;
  }
  if (!curves.path.empty()) {
    const ImVec2 room = ImGui::CalcTextSize("the paper's");
    ImVec2 place;
    if (labels.place(before_paper, room, radius + 4 * theme.scale, place))
      list->AddText(place, packed(theme.secondary), "the paper's");
  }
  ImPlot::PopPlotClipRect();
  if (hovered != nullptr && ImGui::BeginTooltip()) {
    ImGui::Text("rank %d: %s flop for each byte executed, %s by the paper's count", hovered->rank,
                number_text(hovered->executed, 3).c_str(), number_text(hovered->paper, 3).c_str());
    ImGui::Text("%s GFLOP/s, %s GB/s, median %s µs", number_text(hovered->gflop_per_s, 3).c_str(),
                number_text(hovered->gb_per_s, 3).c_str(), three_digits(hovered->median_us).c_str());
    ImGui::EndTooltip();
    if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0)
      context.workspace.choose_rank(hovered->rank);
  }
  end_plot(context, [&] { return path_table(curves); });
}

// What was measured, on what, and what else differs.
void draw_words(PanelContext& context, Document& document) {
  const Theme& theme = context.theme;
  const RankFamily& family = *document.family;
  const ProfileResult& first = family.runs.front().result;
  heading(theme, family.shape, "The shape whose rank is changed; its weights are random.");
  push_small(theme);
  ImGui::PushTextWrapPos(0);
  ImGui::TextColored(first.recording.empty() ? theme.secondary : theme.value, "%s",
                     first.recording.empty() ? fmt::format("measured now on {}", first.backend.device).c_str()
                                             : first.recorded_words().c_str());
  ImGui::TextColored(theme.secondary, "%s, batch %d, %zu tokens of each rank, %s", first.plan.variant.c_str(),
                     first.plan.batch, first.tokens.size(), source_words(first.status.source));
  for (const RankRun& run : family.runs)
    ImGui::TextColored(run.verified() ? theme.secondary : theme.error, "R = %d: %s parameters, %s against %s", run.rank,
                       count_text(run.parameters).c_str(), run.verified() ? "verified" : "DOES NOT AGREE",
                       run.twin.c_str());
  ImGui::Spacing();
  ImGui::TextColored(theme.text, "Not equal between the ranks, beside the rank:");
  for (const std::string& confound : confounds(family.runs)) {
    ImGui::TextColored(theme.faint, "–");
    ImGui::SameLine(0, 4 * theme.scale);
    ImGui::TextColored(theme.secondary, "%s", confound.c_str());
  }
  if (!first.backend.peak_source.empty())
    ImGui::TextColored(theme.secondary, "fp32 peak: %s", first.backend.peak_source.c_str());
  ImGui::PopTextWrapPos();
  ImGui::PopFont();
}

void draw_nothing_measured(PanelContext& context, Document& document) {
  Workspace& workspace = context.workspace;
  if (document.recording) {
    draw_empty_state(
        context.theme, "One rank was recorded",
        "This page shows one shape at several ranks, and this profile is of one model. Click a recorded family below "
        "to "
        "open it, or open a model: its shape is measured here. Your own: profile --ranks 1,2,4,8 --save FILE.");
    draw_shipped_links(context, "ranks");
    return;
  }
  const engine::BackendInfo& backend = document.snapshot->backend;
  const std::string where =
      backend.is_gpu ? std::string("on the GPU, with CUPTI's kernel times where CUPTI may be used")
                     : fmt::format("on {}: there is no GPU in use here, so that the times are the CPU's stage clock",
                                   backend.device);
  const std::string problem = document.ranks_problem.empty() ? std::string() : document.ranks_problem + " ";
  if (draw_empty_state(
          context.theme, problem.empty() ? "Ranks 1, 2, 4, 8 of this shape" : "The ranks could not be measured",
          problem +
              "Builds this model's shape with random weights at each rank, verifies each and times its stages in a "
              "second process, " +
              where + ".",
          "Measure ranks"))
    workspace.requests.measure_ranks = true;
}

}  // namespace

void draw_timing_ranks(PanelContext& context, Document& document, ImVec2 size) {
  const float s = context.theme.scale, gap = 12 * s;
  const bool measuring = draw_ranks_control(context, document);
  if (!document.family) {
    if (!measuring) draw_nothing_measured(context, document);
    return;
  }
  if (!document.recording && !measuring) {
    if (link(context.theme, "measure again")) context.workspace.requests.measure_ranks = true;
  }
  const RankCurves* made = curves_of(context.workspace, document);
  if (made == nullptr) {
    const auto& making = document.timing_cache.ranks.making;
    return draw_counting(context, "counting", records_of(*document.family), making ? making->progress() : 0, size);
  }
  const RankCurves& curves = *made;
  const profiler::TimeSource source = document.family->runs.front().result.status.source;
  const float height = ImGui::GetContentRegionAvail().y;
  // Side by side where there is room; in a narrow panel the words are left to `profile --open`.
  const bool words = size.x > 760 * s;
  const float width = std::floor((size.x - (words ? 2 : 1) * gap) * (words ? 0.38F : 0.5F));
  ImGui::BeginChild("rank times", {width, height}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollWithMouse);
  draw_times(context, curves, source, ImGui::GetContentRegionAvail());
  ImGui::EndChild();
  ImGui::SameLine(0, gap);
  ImGui::BeginChild("rank path", {width, height}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollWithMouse);
  draw_path(context, curves, source, ImGui::GetContentRegionAvail());
  ImGui::EndChild();
  if (!words) return;
  ImGui::SameLine(0, gap);
  ImGui::BeginChild("rank words", {0, height});
  draw_words(context, document);
  ImGui::EndChild();
}

}  // namespace app
