// One step of each open model as two stacked bars on a common axis: the medians over the measured tokens, thick, and one
// token, thin. Gaps are hatched, totals written out. Times of different clocks get axes of their own.
#include "app/panels/plot.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>
#include <imgui_internal.h>
#include <implot.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

// Where the two bars of a document lie around its place on the y axis.
struct Lane {
  double low, high;
};
constexpr Lane median_lane{-0.40, 0.10}, token_lane{0.16, 0.40};

struct Row {
  const Document* document = nullptr;
  const StepBar* bar = nullptr;
  double y = 0;
  Lane lane;
};

struct Hover {
  const Row* row = nullptr;
  const BarPart* part = nullptr;
};

std::string total_words(const StepBar& bar) {
  if (bar.token >= 0) return three_digits(bar.wall_us) + " µs";
  return fmt::format("{} ± {} µs", three_digits(bar.wall_us), three_digits(bar.wall_spread_us));
}

double gap_share(const StepBar& bar) {
  return bar.parts.empty() || bar.parts.back().kind != nothing_ran ? 0 : bar.parts.back().share;
}

ImRect pixels_of(const Row& row, double from_us, double to_us) {
  const ImVec2 a = ImPlot::PlotToPixels(from_us, row.y + row.lane.low);
  const ImVec2 b = ImPlot::PlotToPixels(to_us, row.y + row.lane.high);
  return {{a.x, std::floor(std::min(a.y, b.y))}, {b.x, std::floor(std::max(a.y, b.y))}};
}

void draw_bar(PanelContext& context, const Row& row, int hovered_kind) {
  const Theme& theme = context.theme;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const StepBar& bar = *row.bar;
  for (const BarPart& part : bar.parts) {
    ImRect area = pixels_of(row, part.start_us, part.start_us + part.length_us);
    area.Max.x = std::max(area.Max.x, area.Min.x + 1);
    // A hairline between neighbours, where there is room for one.
    const float edge = area.GetWidth() >= 4 ? 1.0F : 0.0F;
    fill_kind(theme, list, area.Min, {area.Max.x - edge, area.Max.y}, part.kind,
              context.workspace.selection.stage_kind);
    label_bar(theme, list, area.Min, area.Max, part.kind, part.length_us, context.workspace.selection.stage_kind);
    if (part.kind == hovered_kind) list->AddRect(area.Min, {area.Max.x - edge, area.Max.y}, packed(theme.text));
  }
  // The step as a whole: a mark where its wall time ends, and that time in words.
  const ImRect whole = pixels_of(row, 0, bar.wall_us);
  const float s = theme.scale, end = std::max(whole.Max.x, pixels_of(row, 0, bar.end_us).Max.x);
  list->AddLine({whole.Max.x, whole.Min.y - 2 * s}, {whole.Max.x, whole.Max.y + 2 * s}, packed(theme.text), 1.5F * s);
  push_small_numbers(theme);
  const std::string words = total_words(bar);
  const float y = std::floor((whole.Min.y + whole.Max.y - ImGui::GetFontSize()) / 2);
  const ImVec2 at(std::floor(end + 7 * s), y);
  const bool median = bar.token < 0;
  list->AddText(at, packed(median ? theme.text : theme.secondary), words.c_str());
  if (const double share = gap_share(bar); share > 0.5 && median) {
    const float width = ImGui::CalcTextSize(words.c_str()).x;
    list->AddText({at.x + width + 8 * s, y}, packed(theme.value), fmt::format("{:.0f} % gaps", 100 * share).c_str());
  }
  ImGui::PopFont();
}

// Pixels of what is written right of a bar.
float written_width(const Theme& theme, const StepBar& bar) {
  push_small_numbers(theme);
  float width = ImGui::CalcTextSize(total_words(bar).c_str()).x + 16 * theme.scale;
  if (gap_share(bar) > 0.5 && bar.token < 0) width += ImGui::CalcTextSize("  00 % gaps").x;
  ImGui::PopFont();
  return width;
}

const char* part_words(int kind) {
  return kind == nothing_ran ? "Nothing ran." : kind == other_work ? "Work of the step that belongs to no stage." : "";
}

void draw_tooltip(const Hover& hover) {
  const StepBar& bar = *hover.row->bar;
  const BarPart& part = *hover.part;
  if (!ImGui::BeginTooltip()) return;
  ImGui::Text("%s · %s", kind_words(part.kind), hover.row->document->name.c_str());
  if (bar.token >= 0)
    ImGui::Text("%s µs at token %lld", three_digits(part.length_us).c_str(), static_cast<long long>(bar.token));
  ImGui::Text("median %s µs ± %s µs of %zu tokens", three_digits(part.median_us).c_str(),
              three_digits(part.spread_us).c_str(), bar.tokens);
  if (part.kind >= 0) {
    ImGui::Text("%s read and written, %s GB/s", bytes_text(part.bytes).c_str(), three_digits(part.gb_per_s).c_str());
    ImGui::Text("%s of the step, in %d stage%s", percent_text(part.share).c_str(), part.stages,
                part.stages == 1 ? "" : "s");
  } else {
    ImGui::Text("%s of the step. %s", percent_text(part.share).c_str(), part_words(part.kind));
  }
  if (bar.token < 0)
    ImGui::TextDisabled("Medians of the parts add up to %s µs, the median of steps is %s µs.",
                        three_digits(bar.end_us).c_str(), three_digits(bar.wall_us).c_str());
  ImGui::TextDisabled("± is the median absolute deviation. %s.",
                      source_words(hover.row->document->timing_cache.table.source,
                                   leaves_waiting_out(hover.row->document->timing_cache.table))
                          .c_str());
  ImGui::EndTooltip();
}

Hover find_hover(const std::vector<Row>& rows) {
  if (!ImPlot::IsPlotHovered()) return {};
  const ImPlotPoint mouse = ImPlot::GetPlotMousePos();
  for (const Row& row : rows) {
    if (mouse.y < row.y + row.lane.low || mouse.y > row.y + row.lane.high) continue;
    if (const BarPart* part = part_at(*row.bar, mouse.x)) return {&row, part};
  }
  return {};
}

// Names at the left: the model beside its medians, the token beside its own bar where a line of text fits.
// Without a name below the axis, the name of the model says whose clock it is.
void setup_rows(const Theme& theme, const std::vector<Row>& rows, float height, bool named) {
  static std::vector<std::string> words;  // outlives SetupFinish
  static std::vector<const char*> labels;
  std::vector<double> places;
  words.clear();
  labels.clear();
  const float unit = height / (0.5F * static_cast<float>(rows.size()));
  const bool both = unit * 0.41F >= ImGui::GetTextLineHeight();
  for (const Row& row : rows) {
    const bool median = row.bar->token < 0;
    if (!median && !both) continue;
    places.push_back(row.y + (row.lane.low + row.lane.high) / 2);
    const profiler::TimeSource source = row.document->timing_cache.table.source;
    const char* after = named ? "  median" : source == profiler::TimeSource::cupti ? " · CUPTI" : " · CPU clock";
    words.push_back(median ? shortened(row.document->name, 120 * theme.scale) + after
                           : fmt::format("token {}", row.bar->token));
  }
  for (const std::string& word : words) labels.push_back(word.c_str());
  if (!places.empty()) ImPlot::SetupAxisTicks(ImAxis_Y1, places.data(), static_cast<int>(places.size()), labels.data());
}

Table bars_table(const std::vector<Row>& rows) {
  Table table{"step-bars",
              {{"model", {}},
               {"token (empty: medians)", {}},
               {"stage kind (-2: other work, -3: gaps)", {}},
               {"start (us)", {}},
               {"time (us)", {}},
               {"median (us)", {}},
               {"mad (us)", {}},
               {"bytes", {}},
               {"share", {}}}};
  for (const Row& row : rows) {
    for (const BarPart& part : row.bar->parts) {
      const double cells[] = {std::round(row.y),
                              row.bar->token < 0 ? std::nan("") : static_cast<double>(row.bar->token),
                              static_cast<double>(part.kind),
                              part.start_us,
                              part.length_us,
                              part.median_us,
                              part.spread_us,
                              static_cast<double>(part.bytes),
                              part.share};
      for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].values.push_back(cells[i]);
    }
  }
  return table;
}

// Documents whose times come from one source, on one axis.
void draw_group(PanelContext& context, const std::vector<const Document*>& documents, ImVec2 size) {
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  const profiler::TimeSource source = documents.front()->timing_cache.table.source;
  std::vector<Row> rows;
  double longest = 0;
  float written = 0;
  for (const Document* document : documents) {
    const auto y = static_cast<double>(rows.size() / 2);
    rows.push_back({document, &document->timing_cache.median_bar, y, median_lane});
    rows.push_back({document, &document->timing_cache.token_bar, y, token_lane});
    for (const StepBar* bar : {rows[rows.size() - 2].bar, rows.back().bar}) {
      longest = std::max({longest, bar->wall_us, bar->end_us});
      written = std::max(written, written_width(theme, *bar));
    }
  }
  const std::string id = fmt::format("##bars{}", static_cast<int>(source));
  const bool waiting_out = std::any_of(documents.begin(), documents.end(), [](const Document* document) {
    return leaves_waiting_out(document->timing_cache.table);
  });
  const std::string axis = fmt::format("µs of a step · {}", source_words(source, waiting_out));
  float* end = ImGui::GetStateStorage()->GetFloatRef(ImGui::GetID((id + "end").c_str()), 0.0F);
  *end = static_cast<float>(steady_axis_end(
      longest, static_cast<double>(written / std::max(1.0F, size.x - 130 * theme.scale)), static_cast<double>(*end)));
  // Where there is no room for the axis's name, each tick says its unit; the source stands above the plot as well.
  const float line = ImGui::GetTextLineHeight();
  const bool named = size.y >= 8 * line;
  size.x -= beyond_axis(theme, fmt::format("{:g}{}", *end, named ? "" : " µs"));
  if (!begin_plot(
          context, id.c_str(), size, axis.c_str(), nullptr, ImPlotFlags_NoLegend, 0,
          ImPlotAxisFlags_Lock | ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks | ImPlotAxisFlags_Invert))
    return;
  if (!named) ImPlot::SetupAxisFormat(ImAxis_X1, "%g µs");
  setup_rows(theme, rows, size.y - (named ? 3.0F : 1.7F) * line, named);
  ImPlot::SetupAxisLimits(ImAxis_Y1, -0.5, static_cast<double>(documents.size()) - 0.5, ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_X1, 0, static_cast<double>(*end),
                          workspace.bars_zoomed ? ImPlotCond_Once : ImPlotCond_Always);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, 0, 1e12);
  ImPlot::SetupFinish();
  if (ImPlot::IsPlotHovered()) {
    if (ImGui::GetIO().MouseWheel != 0 || ImGui::IsMouseDragging(ImGuiMouseButton_Left)) workspace.bars_zoomed = true;
    if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) workspace.bars_zoomed = false;
  }
  const Hover hover = find_hover(rows);
  const int hovered_kind = hover.part != nullptr ? hover.part->kind : -1;
  ImPlot::PushPlotClipRect();
  for (const Row& row : rows) draw_bar(context, row, hovered_kind);
  ImPlot::PopPlotClipRect();
  if (hover.part != nullptr) {
    draw_tooltip(hover);
    if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0 && hovered_kind >= 0)
      toggle_kind(workspace.selection, hovered_kind);
  }
  end_plot(context, [&] { return bars_table(rows); });
}

}  // namespace

void draw_timing_bars(PanelContext& context, const std::vector<Document*>& documents, ImVec2 size) {
  for (Document* document : documents)
    if (const TimingCache& cache = document->timing_cache; !cache.table_made && cache.newest != nullptr)
      return draw_counting(context, *document, cache.making_table, size);
  std::vector<std::vector<const Document*>> groups;
  for (const Document* document : documents) {
    const profiler::TimeSource source = document->timing_cache.table.source;
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return group.front()->timing_cache.table.source == source;
    });
    if (same == groups.end())
      groups.push_back({document});
    else
      same->push_back(document);
  }
  const float gap = ImGui::GetStyle().ItemSpacing.y;
  const float each = (size.y - gap * static_cast<float>(groups.size() - 1)) / static_cast<float>(documents.size());
  for (const auto& group : groups)
    draw_group(context, group, {size.x, std::floor(each * static_cast<float>(group.size()))});
}

}  // namespace app
