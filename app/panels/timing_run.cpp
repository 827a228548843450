// Every measured token on one axis, from the whole run down to one kernel: steps above, pieces of work below, in lanes where
// they overlap. A frame draws about as many rectangles as there are pixels across, however long the run is.
#include "app/panels/plot.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr double again_after_s = 1;  // a live run grows

const RunTimeline& run_of(Document& document) {
  TimingCache::Run& cache = document.timing_cache.run;
  const double now = ImGui::GetTime();
  if (cache.of != document.timing_cache.newest && (cache.values.empty() || now - cache.made_s > again_after_s))
    cache = {document.timing_cache.newest, now, RunTimeline(document.plan(), document.timing_cache.tokens)};
  return cache.values;
}

struct Shown {
  const RunBlock* block = nullptr;
  bool piece = false, step = false;
};

// Draws a range into a band of y; returns what lies under the mouse.
Shown draw_range(PanelContext& context, const RunTimeline::Range& range, double low_y, double high_y, bool steps) {
  const Theme& theme = context.theme;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const int selected_kind = context.workspace.selection.stage_kind;
  const ImVec2 mouse = ImGui::GetMousePos();
  const float top = ImPlot::PlotToPixels(0.0, low_y).y, bottom = ImPlot::PlotToPixels(0.0, high_y).y;
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const double per_us = static_cast<double>(ImPlot::GetPlotSize().x) / limits.X.Size();
  const float left = ImPlot::GetPlotPos().x;
  const auto x_of = [&](double us) { return left + static_cast<float>((us - limits.X.Min) * per_us); };
  Shown under;
  for (const RunBlock* block = range.begin; block != range.end; ++block) {
    const float from = x_of(block->start_us), to = std::max(from + 1, x_of(block->end_us));
    const float edge = to - from >= 4 ? 1.0F : 0.0F;
    if (steps) {
      list->AddRectFilled({from, top}, {to - edge, bottom}, packed(theme.secondary, range.pieces ? 0.55F : 0.4F));
    } else if (range.pieces) {
      fill_kind(theme, list, {from, top}, {to - edge, bottom}, block->kind >= 0 ? block->kind : other_work,
                selected_kind);
      if (to - from > 40 && block->kind >= 0)
        label_bar(theme, list, {from, top}, {to, bottom}, block->kind, block->busy_us, selected_kind);
    } else {
      // Joined pieces: as high as they fill their time.
      const double length = std::max(block->end_us - block->start_us, 1e-9);
      const auto share = static_cast<float>(std::clamp(block->busy_us / length, 0.05, 1.0));
      fill_kind(theme, list, {from, bottom - share * (bottom - top)}, {to, bottom},
                block->kind >= 0 ? block->kind : other_work, selected_kind);
    }
    if (mouse.x >= from && mouse.x < to && mouse.y >= top && mouse.y < bottom) under = {block, range.pieces, steps};
  }
  return under;
}

void draw_tooltip(const Document& document, const RunTimeline& run, const Shown& under) {
  if (!ImGui::BeginTooltip()) return;
  const RunBlock& block = *under.block;
  if (under.step && under.piece) {
    ImGui::Text("token %u: %s µs", run.token(block), three_digits(block.end_us - block.start_us).c_str());
  } else if (under.step) {
    ImGui::Text("tokens from %u on, %s ms", run.token(block),
                three_digits((block.end_us - block.start_us) / 1e3).c_str());
  } else if (under.piece) {
    const RunPiece& piece = run.piece(block);
    std::string what = block.kind >= 0 ? kind_words(block.kind) : "other work";
    if (block.stage < document.plan().stages.size() && document.plan().stages[block.stage].layer >= 0)
      what += fmt::format(" of layer {}", document.plan().stages[block.stage].layer);
    ImGui::Text("%s, token %u: %s µs", what.c_str(), piece.token, three_digits(block.busy_us).c_str());
    const std::string kernel = document.timings->kernel_name(piece.name);
    if (!kernel.empty()) ImGui::TextUnformatted(kernel.c_str());
  } else {
    ImGui::Text("pieces of %s µs, at work %s of it, the longest of them %s",
                three_digits(block.end_us - block.start_us).c_str(),
                percent_text(block.busy_us / std::max(1e-9, block.end_us - block.start_us)).c_str(),
                block.kind >= 0 ? kind_words(block.kind) : "other work");
    ImGui::TextDisabled("Zoom in with the wheel to see each.");
  }
  ImGui::TextDisabled("%s", source_words(document.timing_cache.table.source));
  ImGui::EndTooltip();
}

Table run_table(const RunTimeline& run) {
  Table table{"all-tokens", {{"start (us)", {}}, {"time (us)", {}}, {"stage (65535: none)", {}}, {"token", {}}}};
  for (std::size_t lane = 0; lane < run.lanes(); ++lane) {
    const auto all = run.blocks(lane, -INFINITY, INFINITY, SIZE_MAX);
    for (const RunBlock* block = all.begin; block != all.end; ++block) {
      const double cells[] = {block->start_us, block->busy_us, static_cast<double>(block->stage),
                              static_cast<double>(run.piece(*block).token)};
      for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].values.push_back(cells[i]);
    }
  }
  return table;
}

}  // namespace

void draw_timing_run(PanelContext& context, Document& document, ImVec2 size) {
  Workspace& workspace = context.workspace;
  const RunTimeline& run = run_of(document);
  if (run.empty()) return;
  size.x -= 10 * context.theme.scale;
  const std::string axis = fmt::format(
      "µs from the first of {} tokens, {} pieces of work · {}", count_text(static_cast<long long>(run.tokens())),
      count_text(static_cast<long long>(run.pieces())), source_words(document.timing_cache.table.source));
  if (!begin_plot(
          context, "##run", size, axis.c_str(), nullptr, ImPlotFlags_NoLegend, 0,
          ImPlotAxisFlags_Lock | ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks | ImPlotAxisFlags_Invert))
    return;
  const auto lanes = static_cast<double>(run.lanes());
  static const char* const names[] = {"tokens", "work", "overlap", "overlap 2"};
  std::vector<double> places = {0.0};
  for (std::size_t lane = 0; lane < run.lanes(); ++lane) places.push_back(1.0 + static_cast<double>(lane));
  ImPlot::SetupAxisTicks(ImAxis_Y1, places.data(), std::min(4, static_cast<int>(places.size())), names);
  ImPlot::SetupAxisLimits(ImAxis_Y1, -0.6, lanes + 0.6, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_X1, 0, run.end_us(), workspace.run_zoomed ? ImPlotCond_Once : ImPlotCond_Always);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, -0.1 * run.end_us(), 1.1 * run.end_us());
  ImPlot::SetupFinish();
  if (ImPlot::IsPlotHovered()) {
    const ImGuiIO& io = ImGui::GetIO();
    if (io.MouseWheel != 0 || ImGui::IsMouseDragging(ImGuiMouseButton_Left)) workspace.run_zoomed = true;
    if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) workspace.run_zoomed = false;
  }
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const auto most = static_cast<std::size_t>(std::max(16.0F, ImPlot::GetPlotSize().x));
  ImPlot::PushPlotClipRect();
  Shown under = draw_range(context, run.steps(limits.X.Min, limits.X.Max, most / 2), -0.3, 0.3, true);
  for (std::size_t lane = 0; lane < run.lanes(); ++lane) {
    const double y = 1.0 + static_cast<double>(lane);
    const Shown here =
        draw_range(context, run.blocks(lane, limits.X.Min, limits.X.Max, most), y - 0.38, y + 0.38, false);
    if (here.block != nullptr) under = here;
  }
  // The chosen token.
  const auto& shown = document.timing_cache.shown;
  if (shown) {
    const double start = run.start_of(shown->token);
    const ImVec2 from = ImPlot::PlotToPixels(start, -0.45);
    const ImVec2 to = ImPlot::PlotToPixels(start + static_cast<double>(shown->wall_ns) * 1e-3, lanes + 0.45);
    if (start >= 0)
      ImPlot::GetPlotDrawList()->AddRect(from, {std::max(from.x + 2, to.x), to.y}, packed(context.theme.accent), 0, 0,
                                         1.4F * context.theme.scale);
  }
  ImPlot::PopPlotClipRect();
  if (under.block != nullptr && ImPlot::IsPlotHovered()) {
    draw_tooltip(document, run, under);
    if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0) {
      const std::uint32_t token = under.step ? run.token(*under.block) : run.piece(*under.block).token;
      workspace.select_token(token);
      if (under.piece && !under.step && under.block->kind >= 0) {
        workspace.selection.stage_kind = under.block->kind;
        workspace.selection.stage = &document == &workspace.document() ? under.block->stage : -1;
        const int layer = document.plan().stages[under.block->stage].layer;
        if (&document == &workspace.document() && layer >= 0) workspace.selection.layer = layer;
      }
    }
  }
  end_plot(context, [&] { return run_table(run); });
}

}  // namespace app
