// Every measured token on one axis, from the whole run down to one kernel: steps above, pieces of work below, in lanes where
// they overlap. A frame draws about as many rectangles as there are pixels across, however long the run is.
#include "app/panels/plot.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace app {
namespace {

constexpr double again_after_s = 1;  // a live run grows

// A long run's axis counts milliseconds: seven digits beside each other cannot be read.
constexpr double milliseconds_from_us = 1e5;
int us_label(double us, char* out, int size, void* /*unused*/) {
  const auto end = fmt::format_to_n(out, size - 1, "{:g}", us);
  *end.out = '\0';
  return static_cast<int>(end.out - out);
}
int ms_label(double us, char* out, int size, void* /*unused*/) {
  const auto end = fmt::format_to_n(out, size - 1, "{:.7g}", us / 1e3);
  *end.out = '\0';
  return static_cast<int>(end.out - out);
}

// Takes what was made behind the window, and has it made again where there are newer tokens: until then the older ones are
// shown. Null: the first is being made.
const RunTimeline* run_of(Workspace& workspace, Document& document) {
  TimingCache& cache = document.timing_cache;
  const double now = ImGui::GetTime();
  const bool was_making = cache.run.making != nullptr;
  if (cache.run.poll()) {
    workspace.requests.redraw = true;
  } else if (cache.run.of != cache.newest && (!cache.run.values || now - cache.run_made_s > again_after_s)) {
    const auto make = [](const auto& plan, profiler::Tokens tokens, const profiler::GoesOn& goes_on) {
      return RunTimeline(plan, tokens, goes_on);
    };
    if (document.recording)
      cache.run.start(cache.newest, [recording = document.recording, make](const profiler::GoesOn& goes_on) {
        return make(recording->plan, recording->tokens, goes_on);
      });
    else
      cache.run.start(cache.newest, [plan = document.plan(), tokens = cache.tokens,
                                     make](const profiler::GoesOn& goes_on) { return make(plan, tokens, goes_on); });
    workspace.requests.redraw = true;
  }
  if (was_making && !cache.run.making) cache.run_made_s = now;
  return cache.run.values.get();
}

void draw_making(const PanelContext& context, Document& document, ImVec2 size) {
  std::size_t records = records_of(document);
  if (!document.recording)
    for (const auto& token : tokens_of(document)) records += token->stages.size();
  const auto& making = document.timing_cache.run.making;
  draw_counting(context, "arranging", records, making ? making->progress() : 0, size);
}

struct Shown {
  const RunBlock* block = nullptr;
  bool piece = false, step = false;
};

// Joined blocks beside each other that look alike, filled as one: a rasteriser in software takes its time for each triangle.
class Columns {
 public:
  Columns(const Theme& theme, int selected_kind, float bottom)
      : theme_(theme), selected_kind_(selected_kind), bottom_(bottom) {}
  Columns(const Columns&) = delete;
  Columns& operator=(const Columns&) = delete;
  ~Columns() { flush(); }

  // From the left; `top` in pixels.
  void add(float from, float to, float top, int kind) {
    top = std::round(top);
    if (to_ > from_ && kind == kind_ && top == top_ && from <= to_ + 0.5F) {
      to_ = std::max(to_, to);
      return;
    }
    flush();
    from_ = from;
    to_ = to;
    top_ = top;
    kind_ = kind;
  }

 private:
  void flush() const {
    if (to_ > from_) fill_kind(theme_, ImPlot::GetPlotDrawList(), {from_, top_}, {to_, bottom_}, kind_, selected_kind_);
  }
  const Theme& theme_;
  int selected_kind_ = -1, kind_ = -1;
  float bottom_ = 0, from_ = 0, to_ = 0, top_ = 0;
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
  Columns columns(theme, selected_kind, bottom);
  float steps_from = 0, steps_to = 0;
  for (const RunBlock* block = range.begin; block != range.end; ++block) {
    const float from = x_of(block->start_us), to = std::max(from + 1, x_of(block->end_us));
    const float edge = to - from >= 4 ? 1.0F : 0.0F;
    if (steps && !range.pieces) {
      // Many steps as one band, broken where there are none.
      if (from > steps_to + 0.5F || steps_to <= steps_from) {
        if (steps_to > steps_from)
          list->AddRectFilled({steps_from, top}, {steps_to, bottom}, packed(theme.secondary, 0.4F));
        steps_from = from;
      }
      steps_to = std::max(steps_to, to);
    } else if (steps) {
      list->AddRectFilled({from, top}, {to - edge, bottom}, packed(theme.secondary, 0.55F));
    } else if (range.pieces) {
      fill_kind(theme, list, {from, top}, {to - edge, bottom}, block->kind >= 0 ? block->kind : other_work,
                selected_kind);
      if (to - from > 40 && block->kind >= 0)
        label_bar(theme, list, {from, top}, {to, bottom}, block->kind, block->busy_us, selected_kind);
    } else {
      // Joined pieces: as high as they fill their time.
      const double length = std::max(block->end_us - block->start_us, 1e-9);
      const auto share = static_cast<float>(std::clamp(block->busy_us / length, 0.05, 1.0));
      columns.add(from, to, bottom - share * (bottom - top), block->kind >= 0 ? block->kind : other_work);
    }
    if (mouse.x >= from && mouse.x < to && mouse.y >= top && mouse.y < bottom) under = {block, range.pieces, steps};
  }
  if (steps_to > steps_from) list->AddRectFilled({steps_from, top}, {steps_to, bottom}, packed(theme.secondary, 0.4F));
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
  const RunTimeline* made = run_of(workspace, document);
  if (made == nullptr) return draw_making(context, document, size);
  const RunTimeline& run = *made;
  if (run.empty()) return;
  const bool in_ms = run.end_us() > milliseconds_from_us;
  const std::string axis =
      fmt::format("{} from the first of {} tokens, {} pieces of work · {}", in_ms ? "ms" : "µs",
                  count_text(static_cast<long long>(run.tokens())), count_text(static_cast<long long>(run.pieces())),
                  source_words(document.timing_cache.table.source));
  size.x -= beyond_axis(context.theme, fmt::format("{:.7g}", in_ms ? run.end_us() / 1e3 : run.end_us()));
  if (!begin_plot(
          context, "##run", size, axis.c_str(), nullptr, ImPlotFlags_NoLegend, 0,
          ImPlotAxisFlags_Lock | ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks | ImPlotAxisFlags_Invert))
    return;
  const auto lanes = static_cast<double>(run.lanes());
  std::vector<const char*> names = {"tokens", "work", "overlap", "overlap 2"};
  names.resize(run.lanes() + 1);
  const bool sampled = !all_samples_of(document).empty();
  std::vector<double> places = {0.0};
  for (std::size_t lane = 0; lane < run.lanes(); ++lane) places.push_back(1.0 + static_cast<double>(lane));
  if (sampled) {
    places.push_back(lanes + 1.1);
    names.push_back("counters");
  }
  ImPlot::SetupAxisTicks(ImAxis_Y1, places.data(), static_cast<int>(places.size()), names.data());
  ImPlot::SetupAxisLimits(ImAxis_Y1, -0.6, lanes + (sampled ? 1.7 : 0.6), ImPlotCond_Always);
  ImPlot::SetupAxisFormat(ImAxis_X1, in_ms ? ms_label : us_label);
  const std::pair<double, double> span = std::exchange(workspace.run_span, {});
  if (span.second > span.first) {
    workspace.run_zoomed = true;
    ImPlot::SetupAxisLimits(ImAxis_X1, span.first * run.end_us(), span.second * run.end_us(), ImPlotCond_Always);
  } else {
    ImPlot::SetupAxisLimits(ImAxis_X1, 0, run.end_us(), workspace.run_zoomed ? ImPlotCond_Once : ImPlotCond_Always);
  }
  ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, -0.1 * run.end_us(), 1.1 * run.end_us());
  ImPlot::SetupFinish();
  if (ImPlot::IsPlotHovered()) {
    const ImGuiIO& io = ImGui::GetIO();
    if (io.MouseWheel != 0 || ImGui::IsMouseDragging(ImGuiMouseButton_Left)) workspace.run_zoomed = true;
    if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) workspace.run_zoomed = false;
  }
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  // A block for two pixels: narrower ones cannot be told apart.
  const auto most = static_cast<std::size_t>(std::max(16.0F, ImPlot::GetPlotSize().x / 2));
  ImPlot::PushPlotClipRect();
  Shown under = draw_range(context, run.steps(limits.X.Min, limits.X.Max, most / 2), -0.3, 0.3, true);
  for (std::size_t lane = 0; lane < run.lanes(); ++lane) {
    const double y = 1.0 + static_cast<double>(lane);
    const Shown here =
        draw_range(context, run.blocks(lane, limits.X.Min, limits.X.Max, most), y - 0.38, y + 0.38, false);
    if (here.block != nullptr) under = here;
  }
  // What the hardware did meanwhile, below the lanes, of every token of which that was sampled.
  const double strip_y = lanes + 0.7;
  for (const PlacedStrip& placed : all_samples_of(document)) {
    const SampleStrip& strip = placed.strip;
    // A live model's are of no token here: they stand below the chosen one.
    const auto token = strip.apart ? document.timing_cache.shown->token : static_cast<std::uint32_t>(strip.token);
    const double start = run.start_of(token), begin = start + placed.after_start_us;
    const double end = begin + strip.start_us.back() + strip.interval_us;
    const double from = std::max(begin, limits.X.Min), to = std::min(end, limits.X.Max);
    if (start < 0 || !(to > from)) continue;
    const ImVec2 low = ImPlot::PlotToPixels(from, strip_y), high = ImPlot::PlotToPixels(to, strip_y + 0.8);
    draw_samples(context.theme, ImPlot::GetPlotDrawList(), strip, {low, high, from - begin, to - begin});
    name_samples(context.theme, ImPlot::GetPlotDrawList(), strip, {low.x, std::min(low.y, high.y)},
                 {high.x, std::max(low.y, high.y)});
    const ImVec2 mouse = ImGui::GetMousePos();
    if (ImPlot::IsPlotHovered() && mouse.x >= low.x && mouse.x < high.x && mouse.y >= low.y && mouse.y < high.y)
      draw_samples_tooltip(strip, ImPlot::PixelsToPlot(mouse).x - begin);
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
      if (under.piece && !under.step)
        select_piece(workspace, document, token, under.block->stage);
      else
        workspace.select_token(token);
    }
  }
  end_plot(context, [&] { return run_table(run); });
}

}  // namespace app
