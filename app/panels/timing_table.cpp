// What a step costs, as numbers: the whole of it, its gaps, and each kind of stage. A click on a kind shows it in the
// pictures beside.
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <tuple>

namespace app {
namespace {

constexpr int whole_step = -1;  // beside the kinds of timing_bars.h

// Headings on the side where their numbers end.
void draw_headings(const Theme& theme, const std::vector<std::string>& headings) {
  ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
  for (std::size_t i = 0; i < headings.size(); ++i) {
    ImGui::TableSetColumnIndex(static_cast<int>(i));
    const std::string text = shortened(headings[i], ImGui::GetContentRegionAvail().x);
    const float width = ImGui::CalcTextSize(text.c_str()).x;
    if (i > 0) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, ImGui::GetContentRegionAvail().x - width));
    ImGui::TextColored(theme.secondary, "%s", text.c_str());
    if (text != headings[i]) tooltip(headings[i]);
  }
}

// First cell of a row: what it is about. A kind of stage can be clicked.
void begin_row(PanelContext& context, int kind) {
  const Theme& theme = context.theme;
  Selection& selection = context.workspace.selection;
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  const float line = ImGui::GetTextLineHeight(), size = std::floor(line * 0.62F);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  if (kind >= 0) {
    ImGui::PushID(kind);
    if (ImGui::Selectable("##kind", selection.stage_kind == kind,
                          ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap, {0, line}))
      toggle_kind(selection, kind);
    ImGui::PopID();
    ImGui::SameLine(0, 0);
    ImGui::SetCursorScreenPos(at);
  }
  if (kind == whole_step) {
    ImGui::PushFont(theme.bold, 0.0F);
    ImGui::TextUnformatted("whole step");
    ImGui::PopFont();
    return;
  }
  const float y = std::floor(at.y + (line - size) / 2);
  fill_kind(theme, ImGui::GetWindowDrawList(), {at.x, y}, {at.x + size, y + size}, kind, -1);
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + size + 6 * theme.scale);
  ImGui::TextUnformatted(kind_words(kind));
}

void draw_share(const Theme& theme, double share, int kind) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float height = ImGui::GetTextLineHeight() * 0.62F, number = 36 * theme.scale;
  const float width = std::max(8.0F, ImGui::GetContentRegionAvail().x - number);
  const float y = at.y + (ImGui::GetTextLineHeight() - height) / 2;
  const auto part = static_cast<float>(std::clamp(share, 0.0, 1.0));
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled({at.x, y}, {at.x + width, y + height}, packed(theme.well));
  if (part > 0) fill_kind(theme, list, {at.x, y}, {at.x + std::max(1.0F, width * part), y + height}, kind, -1);
  right_aligned(theme, theme.secondary, fmt::format("{:.0f} %", 100 * share));
}

struct Cells {
  double median_us = 0, spread_us = 0;
  std::optional<std::uint64_t> bytes;
  double share = 0;
};

void draw_cells(const Theme& theme, int kind, const Cells& cells) {
  ImGui::TableNextColumn();
  right_aligned(theme, theme.text, three_digits(cells.median_us));
  ImGui::TableNextColumn();
  right_aligned(theme, theme.secondary, three_digits(cells.spread_us));
  ImGui::TableNextColumn();
  if (cells.bytes) right_aligned(theme, theme.secondary, bytes_text(*cells.bytes));
  ImGui::TableNextColumn();
  if (cells.bytes && cells.median_us > 0)
    right_aligned(theme, theme.text, three_digits(static_cast<double>(*cells.bytes) / cells.median_us * 1e-3));
  ImGui::TableNextColumn();
  if (kind != whole_step) draw_share(theme, cells.share, kind);
}

// Null: they are being made.
const std::vector<TimingTableRow>* rows_of(Workspace& workspace, Document& document, ProfileRows by) {
  return made_of(
      workspace, document, document.timing_cache.table_rows, {document.timing_cache.newest, by},
      [by](const engine::StepPlan& plan, const MeasuredTimes& times) { return make_timing_rows(plan, times, by); });
}

void draw_making_rows(const PanelContext& context, Document& document) {
  draw_counting(context, document, document.timing_cache.table_rows, ImGui::GetContentRegionAvail());
}

// What the rows are, and the words that they must hold.
void draw_table_controls(PanelContext& context, Document& document) {
  const Theme& theme = context.theme;
  TimingTableView& view = context.workspace.timing_table;
  Flow flow(6 * theme.scale);
  // Columns of records are others: what they are sorted by goes with them.
  const auto show = [&view](bool records) {
    if (view.records != records) view.sorted_by = -1, view.descending = true;
    view.records = records;
  };
  for (const auto& [label, rows, tip] : {std::tuple{"kinds", ProfileRows::kinds, "One row for each kind of stage."},
                                         {"layers", ProfileRows::layers, "One row for each layer."},
                                         {"stages", ProfileRows::stages, "One row for each stage of the plan."}}) {
    flow.place(chip_width(label));
    if (chip(theme, label, !view.records && view.rows == rows, tip)) {
      view.rows = rows;
      show(false);
    }
  }
  flow.place(chip_width("records"));
  if (chip(theme, "records", view.records, "One row for each piece of work of each token.")) show(true);
  const float width = 120 * theme.scale;
  flow.place(width);
  push_small(theme);
  ImGui::SetNextItemWidth(width);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(7 * theme.scale, 2 * theme.scale));
  ImGui::InputTextWithHint("##filter", view.records ? "mixer layer 3 token 17" : "filter by name", &view.filter);
  ImGui::PopStyleVar();
  ImGui::PopFont();
  if (view.records)
    draw_records_state(context, document, flow);
  else
    draw_counters_control(context, document, flow);
}

// What a row marked with * has to say, for its tool tip.
std::string footnote(int kind) { return *note_on(kind) == '\0' ? "" : fmt::format("\n* It {}", note_on(kind)); }

// The same below the table, where there is room for more than a few rows.
class Footnotes {
 public:
  Footnotes(const Theme& theme, const Document& document, ProfileRows rows) : theme_(theme) {
    if (rows == ProfileRows::layers) return;
    for (const std::string& note : notes_on(document.plan())) words_ += (words_.empty() ? "* " : "\n* ") + note;
    push_small(theme);
    const ImVec2 space = ImGui::GetContentRegionAvail();
    height_ = ImGui::CalcTextSize(words_.c_str(), nullptr, false, space.x).y + 2 * ImGui::GetStyle().ItemSpacing.y;
    ImGui::PopFont();
    if (words_.empty() || space.y - height_ < 8 * row_height()) height_ = 0;
  }
  float height() const { return height_; }
  void draw() const {
    if (height_ <= 0) return;
    push_small(theme_);
    ImGui::PushTextWrapPos(0);
    ImGui::TextColored(theme_.secondary, "%s", words_.c_str());
    ImGui::PopTextWrapPos();
    ImGui::PopFont();
  }

 private:
  const Theme& theme_;
  std::string words_;
  float height_ = 0;  // 0: there is nothing to say, or no room
};

// A row of the plan: a kind, a layer or a stage. A click chooses it for all views.
void draw_plan_row(PanelContext& context, const TimingTableRow& row, int id, bool active) {
  const Theme& theme = context.theme;
  Selection& selection = context.workspace.selection;
  const StageGroup& group = row.group;
  const bool of_layer = group.kind < 0;
  const bool chosen = of_layer           ? active && group.layer >= 0 && selection.layer == group.layer
                      : group.stage >= 0 ? active && selection.stage == group.stage
                                         : selection.stage_kind == group.kind;
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  const float line = ImGui::GetTextLineHeight(), size = std::floor(line * 0.62F);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImGui::PushID(id);
  if (ImGui::Selectable("##row", chosen, ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap,
                        {0, line})) {
    if (of_layer) {
      if (active && group.layer >= 0) selection.layer = group.layer;
    } else if (group.stage < 0) {
      toggle_kind(selection, group.kind);
    } else {
      selection.stage = chosen || !active ? -1 : group.stage;
      selection.stage_kind = chosen ? -1 : group.kind;
      if (active && group.layer >= 0) selection.layer = group.layer;
    }
  }
  ImGui::PopID();
  tooltip(
      fmt::format("{}: {} stage{} in a step. Median and median absolute deviation of {} tokens, 95 % below {} µs, {} "
                  "outlier{}; bytes counted from shapes. Click to find {} in the other views.{}",
                  full_name(group), group.stages, group.stages == 1 ? "" : "s", row.tokens, three_digits(row.p95_us),
                  row.outliers, row.outliers == 1 ? "" : "s", group.stages == 1 ? "it" : "them", footnote(group.kind)));
  ImGui::SameLine(0, 0);
  ImGui::SetCursorScreenPos(at);
  if (!of_layer) {
    const float y = std::floor(at.y + (line - size) / 2);
    fill_kind(theme, ImGui::GetWindowDrawList(), {at.x, y}, {at.x + size, y + size}, group.kind, -1);
    ImGui::SetCursorPosX(ImGui::GetCursorPosX() + size + 6 * theme.scale);
  }
  const bool noted = *note_on(group.kind) != '\0';
  std::string name = group.stage >= 0 && group.layer >= 0 ? fmt::format("{} {}", group.layer, group.name) : group.name;
  name = shortened(name + (noted ? " *" : ""), ImGui::GetContentRegionAvail().x);
  ImGui::TextUnformatted(name.c_str());
  draw_cells(theme, of_layer ? other_work : group.kind, {row.median_us, row.spread_us, group.cost.bytes(), row.share});
}

const std::vector<GroupCounters>& counters_of(Document& document, ProfileRows rows) {
  TimingCache::Counters& cache = document.timing_cache.counters;
  if (cache.of != document.counters.get() || cache.by != rows)
    cache = {document.counters.get(), rows, grouped_counters(*document.counters, document.plan(), rows)};
  return cache.rows;
}

// What the stages did to the hardware, in the rows of the table of times: sorted and filtered as that is.
void draw_counted(PanelContext& context, Document& document) {
  const Theme& theme = context.theme;
  const TimingTableView& view = context.workspace.timing_table;
  const StageCounters& counters = *document.counters;
  const std::vector<TimingTableRow>* made = rows_of(context.workspace, document, view.rows);
  if (made == nullptr) return draw_making_rows(context, document);
  const std::vector<TimingTableRow>& rows = *made;
  const std::vector<GroupCounters>& counted = counters_of(document, view.rows);
  const Footnotes notes(theme, document, view.rows);
  if (!ImGui::BeginTable("counters", 7, timing_table_flags, whole_rows(notes.height()))) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  for (const auto& [name, weight] : {std::pair{"stage", 1.8F},
                                     {"time", 0.9F},
                                     {"memory", 1.1F},
                                     {"plan", 0.8F},
                                     {"mem", 0.8F},
                                     {"sm", 0.7F},
                                     {"warps", 0.8F}})
    ImGui::TableSetupColumn(name, ImGuiTableColumnFlags_WidthStretch, weight);
  draw_headings(theme, {"stage", "median µs", "memory", "of plan", "mem %", "SM %", "warps"});
  const auto cell = [&](double value, const char* format) {
    ImGui::TableNextColumn();
    right_aligned(theme, theme.text,
                  std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : std::string("–"));
  };
  const std::string tip = fmt::format(
      "One token on {}, kernel by kernel, {} passes, {}. A range lasts longer than its kernel: shares of short stages "
      "are too "
      "low.",
      counters.chip, counters.passes,
      counters.same_bits ? "each left the same bits" : "which did NOT leave the same bits");
  const std::vector<int> order = arranged(rows, view.filter, view.sorted_by, view.descending);
  ImGuiListClipper clipper;
  clipper.Begin(static_cast<int>(order.size()));
  while (clipper.Step())
    for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
      const auto at = static_cast<std::size_t>(order[static_cast<std::size_t>(i)]);
      if (at >= counted.size()) continue;
      const GroupCounters& group = counted[at];
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      const std::string note = footnote(group.group.kind);
      ImGui::TextUnformatted(
          shortened(full_name(group.group) + (note.empty() ? "" : " *"), ImGui::GetContentRegionAvail().x).c_str());
      tooltip(tip + note);
      ImGui::TableNextColumn();
      right_aligned(theme, theme.text, three_digits(rows[at].median_us));
      const double bytes = group.memory_bytes(counters);
      ImGui::TableNextColumn();
      right_aligned(theme, theme.text, bytes >= 0 ? bytes_text(static_cast<std::uint64_t>(bytes)) : std::string("–"));
      cell(group.plan_bytes > 0 ? bytes / static_cast<double>(group.plan_bytes) : std::nan(""), "{:.2f}×");
      cell(group.value(counters, "dram__throughput.avg.pct_of_peak_sustained_elapsed"), "{:.0f}");
      cell(group.value(counters, "sm__throughput.avg.pct_of_peak_sustained_elapsed"), "{:.0f}");
      cell(group.value(counters, "sm__warps_active.avg.pct_of_peak_sustained_active"), "{:.0f}");
    }
  ImGui::EndTable();
  notes.draw();
}

void draw_one(PanelContext& context, Document& document) {
  const Theme& theme = context.theme;
  const TimingTable& table = document.timing_cache.table;
  TimingTableView& view = context.workspace.timing_table;
  draw_table_controls(context, document);
  if (view.records) return draw_timing_records(context, document);
  if (view.counters && document.counters && document.counters->why.reason.empty()) {
    draw_counted(context, document);
    return;
  }
  const std::vector<TimingTableRow>* made = rows_of(context.workspace, document, view.rows);
  if (made == nullptr || !document.timing_cache.table_made) return draw_making_rows(context, document);
  const std::vector<TimingTableRow>& rows = *made;
  const Footnotes notes(theme, document, view.rows);
  if (!ImGui::BeginTable("times", 6, timing_table_flags, whole_rows(notes.height()))) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  ImGui::TableSetupColumn("stage", ImGuiTableColumnFlags_WidthStretch, 2.25F);
  ImGui::TableSetupColumn("median", ImGuiTableColumnFlags_WidthStretch, 0.95F);
  ImGui::TableSetupColumn("spread", ImGuiTableColumnFlags_WidthStretch, 0.75F);
  ImGui::TableSetupColumn("bytes", ImGuiTableColumnFlags_WidthStretch, 1.25F);
  ImGui::TableSetupColumn("rate", ImGuiTableColumnFlags_WidthStretch, 0.85F);
  ImGui::TableSetupColumn("share", ImGuiTableColumnFlags_WidthStretch, 1.0F);
  const bool waiting_out = leaves_waiting_out(table);
  draw_sorting_headings(
      theme, view, {waiting_out ? "stage, waiting left out" : "stage", "median µs", "± µs", "bytes", "GB/s", "of step"},
      waiting_out ? "Kernels begin before the one in front of them ends, and wait. A row's time is by how much it "
                    "lengthens the work. "
                  : "");
  const auto share = [&](double us) { return table.wall_us > 0 ? us / table.wall_us : 0; };
  // The step and its gaps are what the rows are held against: they stay on top, unless names are looked for.
  if (view.filter.empty()) {
    begin_row(context, whole_step);
    tooltip(
        fmt::format("Wall time of a step, begin to finished: median and median absolute deviation of the last {} "
                    "tokens. Bytes are counted from shapes.",
                    table.tokens));
    draw_cells(theme, whole_step, {table.wall_us, table.wall_spread_us, table.bytes, 1});
    begin_row(context, nothing_ran);
    tooltip("Time of the step in which nothing ran.");
    draw_cells(theme, nothing_ran, {table.gaps_us, table.gaps_spread_us, {}, share(table.gaps_us)});
    if (table.between_us > 0) {
      begin_row(context, other_work);
      tooltip("Work of the step that belongs to no stage, such as the upload of the token's id.");
      draw_cells(theme, other_work, {table.between_us, table.between_spread_us, {}, share(table.between_us)});
    }
  }
  const std::vector<int> order = arranged(rows, view.filter, view.sorted_by, view.descending);
  const bool active = &document == &context.workspace.document();
  ImGuiListClipper clipper;
  clipper.Begin(static_cast<int>(order.size()));
  while (clipper.Step())
    for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
      const int row = order[static_cast<std::size_t>(i)];
      draw_plan_row(context, rows[static_cast<std::size_t>(row)], row, active);
    }
  if (order.empty()) {
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ImGui::TextColored(theme.secondary, "no such name");
  }
  ImGui::EndTable();
  notes.draw();
}

const KindTimes* find_kind(const TimingTable& table, int kind) {
  const auto found =
      std::find_if(table.kinds.begin(), table.kinds.end(), [&](const KindTimes& k) { return k.kind == kind; });
  return found == table.kinds.end() ? nullptr : &*found;
}

// Times of different clocks are not divided by each other.
void draw_ratio(const Theme& theme, double first, double second, bool comparable) {
  right_aligned(theme, theme.text, comparable && first > 0 ? three_digits(second / first) + "×" : "–");
}

void draw_pair_cells(const Theme& theme, double first, double second, bool comparable) {
  for (const double time : {first, second}) {
    ImGui::TableNextColumn();
    right_aligned(theme, theme.text, time >= 0 ? three_digits(time) : "–");
  }
  ImGui::TableNextColumn();
  draw_ratio(theme, first, second, comparable && second >= 0);
}

std::vector<int> kinds_of(const TimingTable& a, const TimingTable& b) {
  std::vector<int> kinds;
  for (const TimingTable* table : {&a, &b})
    for (const KindTimes& kind : table->kinds)
      if (std::find(kinds.begin(), kinds.end(), kind.kind) == kinds.end()) kinds.push_back(kind.kind);
  std::sort(kinds.begin(), kinds.end());
  return kinds;
}

// Where two long names begin alike, what tells them apart: "…fused-graph" of "siso-1.5b-fused-graph" beside
// "siso-1.5b-staged".
std::string told_apart(const std::string& name, const std::string& other) {
  const auto alike = std::mismatch(name.begin(), name.end(), other.begin(), other.end()).first;
  const std::size_t dash = name.substr(0, static_cast<std::size_t>(alike - name.begin())).rfind('-');
  return name.size() < 12 || dash == std::string::npos ? name : "…" + name.substr(dash + 1);
}

void draw_two(PanelContext& context, const Document& first, const Document& second) {
  const Theme& theme = context.theme;
  const TimingTable &a = first.timing_cache.table, &b = second.timing_cache.table;
  const bool comparable = a.source == b.source;
  if (!ImGui::BeginTable("stages", 4, timing_table_flags, whole_rows())) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  ImGui::TableSetupColumn("stage", ImGuiTableColumnFlags_WidthStretch, 2.0F);
  ImGui::TableSetupColumn("first", ImGuiTableColumnFlags_WidthStretch, 1.1F);
  ImGui::TableSetupColumn("second", ImGuiTableColumnFlags_WidthStretch, 1.1F);
  ImGui::TableSetupColumn("ratio", ImGuiTableColumnFlags_WidthStretch, 0.7F);
  draw_headings(theme, {leaves_waiting_out(a) || leaves_waiting_out(b) ? "µs, waiting left out, of" : "median µs of",
                        told_apart(first.name, second.name), told_apart(second.name, first.name), "ratio"});
  for (const auto& [kind, in_a, in_b] :
       {std::tuple{whole_step, a.wall_us, b.wall_us}, {nothing_ran, a.gaps_us, b.gaps_us}}) {
    begin_row(context, kind);
    draw_pair_cells(theme, in_a, in_b, comparable);
  }
  for (const int kind : kinds_of(a, b)) {
    begin_row(context, kind);
    const KindTimes *in_a = find_kind(a, kind), *in_b = find_kind(b, kind);
    draw_pair_cells(theme, in_a != nullptr ? in_a->median_us : -1, in_b != nullptr ? in_b->median_us : -1, comparable);
  }
  ImGui::EndTable();
}

}  // namespace

void right_aligned(const Theme& theme, const ImVec4& colour, const std::string& text) {
  ImGui::PushFont(theme.numbers, 0.0F);
  const float width = ImGui::CalcTextSize(text.c_str()).x;
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, ImGui::GetContentRegionAvail().x - width));
  ImGui::TextColored(colour, "%s", text.c_str());
  ImGui::PopFont();
}

float row_height() { return ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y; }

ImVec2 whole_rows(float below) {
  const float row = row_height();
  return {0, std::max(3.0F, std::floor((ImGui::GetContentRegionAvail().y - below) / row)) * row};
}

void draw_sorting_headings(const Theme& theme, TimingTableView& view, const std::vector<std::string>& headings,
                           const char* before_tip) {
  ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
  for (int i = 0; i < static_cast<int>(headings.size()); ++i) {
    if ((ImGui::TableGetColumnFlags(i) & ImGuiTableColumnFlags_IsEnabled) == 0) continue;
    ImGui::TableSetColumnIndex(i);
    const bool sorted = view.sorted_by == i;
    const std::string arrow = !sorted ? "" : view.descending ? " ▼" : " ▲";
    const float space = ImGui::GetContentRegionAvail().x;
    const std::string& full = headings[static_cast<std::size_t>(i)];
    const float left = space - ImGui::CalcTextSize(arrow.c_str()).x;
    // The unit counts for more than the word.
    const std::size_t unit = full.find(' ');
    const bool fits = ImGui::CalcTextSize(full.c_str()).x <= left || unit == std::string::npos;
    const std::string text = shortened(fits ? full : full.substr(unit + 1), left) + arrow;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushID(i);
    if (ImGui::InvisibleButton("##sort", {std::max(1.0F, space), ImGui::GetTextLineHeight()})) {
      if (!sorted)
        view.sorted_by = i, view.descending = i > 0;
      else if (view.descending == (i > 0))
        view.descending = !view.descending;
      else
        view.sorted_by = -1;
    }
    const bool hovered = ImGui::IsItemHovered();
    tooltip(fmt::format("{}{}: click to sort", before_tip, headings[static_cast<std::size_t>(i)]));
    ImGui::PopID();
    const float width = ImGui::CalcTextSize(text.c_str()).x;
    ImGui::GetWindowDrawList()->AddText({i > 0 ? at.x + std::max(0.0F, space - width) : at.x, at.y},
                                        packed(sorted || hovered ? theme.text : theme.secondary), text.c_str());
  }
}

void draw_timing_table(PanelContext& context, const std::vector<Document*>& documents) {
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(6 * context.theme.scale, 1.5F * context.theme.scale));
  if (documents.size() > 1)
    draw_two(context, *documents[0], *documents[1]);
  else
    draw_one(context, *documents[0]);
  ImGui::PopStyleVar();
}

}  // namespace app
