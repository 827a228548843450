// The table's finest level: each piece of work of each token. Rows are arranged behind the window; a frame draws those that are
// seen, however many there are. A click chooses the token and the stage for all views.
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace app {
namespace {

RecordOrder order_of(const TimingTableView& view) { return {view.filter, view.sorted_by, view.descending}; }

// While others are being made, those that were made last; null: the first are being made. Of a model that steps they hold
// their tokens, so that they stay true while newer ones come.
const RecordRows* rows_of(Workspace& workspace, Document& document) {
  TimingCache& cache = document.timing_cache;
  auto& kept = cache.record_rows;
  if (kept.poll()) workspace.requests.redraw = true;
  const std::tuple key(cache.newest, order_of(workspace.timing_table));
  if (kept.get(key) != nullptr) return kept.values.get();
  // Newer tokens alone wait for what is being made: they come faster than that.
  if (kept.making && std::get<RecordOrder>(kept.making_of) == std::get<RecordOrder>(key)) return kept.values.get();
  const profiler::Tokens tokens = tokens_of(document);
  kept.start(key, [plan = document.plan(), owned = std::vector(tokens.begin(), tokens.end()),
                   order = std::get<RecordOrder>(key)](const profiler::GoesOn& goes_on) {
    return make_record_rows(plan, owned, order, goes_on);
  });
  workspace.requests.redraw = true;
  return kept.values.get();
}

std::string tip_of(const Document& document, const RecordRows& all, const RecordRow& row) {
  const engine::StepPlan& plan = document.plan();
  const profiler::StageTime& piece = all.piece(row);
  std::string tip = fmt::format(
      "{}, token {}: {} µs, begins {} µs behind the token's first piece of work. It lengthens the work by "
      "{} µs: from the end of all before it to its own.",
      record_name(plan, piece.tag.stage), all.token(row).token,
      three_digits(static_cast<double>(piece.duration_ns) / 1e3),
      three_digits(static_cast<double>(all.start_ns(row)) / 1e3), three_digits(static_cast<double>(row.adds_ns) / 1e3));
  if (piece.tag.stage < plan.stages.size()) {
    const std::uint64_t bytes = plan.stages[piece.tag.stage].cost.bytes();
    const int pieces = all.pieces_of_stage[piece.tag.stage];
    if (pieces > 1)
      tip += fmt::format(" The stage is up to {} pieces, to which its {} belong together.", pieces, bytes_text(bytes));
    else if (piece.duration_ns > 0)
      tip += fmt::format(" {} counted from shapes, {} GB/s.", bytes_text(bytes),
                         three_digits(static_cast<double>(bytes) / static_cast<double>(piece.duration_ns)));
  }
  const std::string kernel = document.timings->kernel_name(piece.name);
  return tip + (kernel.empty() ? "" : "\n" + kernel);
}

void draw_row(PanelContext& context, Document& document, const RecordRows& all, int at) {
  const Theme& theme = context.theme;
  Workspace& workspace = context.workspace;
  const engine::StepPlan& plan = document.plan();
  const RecordRow& row = all.rows[static_cast<std::size_t>(at)];
  const profiler::StageTime& piece = all.piece(row);
  const std::uint32_t token = all.token(row).token;
  const bool known = piece.tag.stage < plan.stages.size();
  const bool chosen = known && document.timing_cache.shown && document.timing_cache.shown->token == token &&
                      workspace.selection.stage == piece.tag.stage;
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  const float line = ImGui::GetTextLineHeight(), size = std::floor(line * 0.62F);
  const ImVec2 corner = ImGui::GetCursorScreenPos();
  ImGui::PushID(at);
  if (ImGui::Selectable("##record", chosen, ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap,
                        {0, line}))
    select_piece(workspace, document, token, piece.tag.stage);
  ImGui::PopID();
  if (ImGui::IsItemHovered()) tooltip(tip_of(document, all, row));
  ImGui::SameLine(0, 0);
  ImGui::SetCursorScreenPos(corner);
  const int kind = known ? static_cast<int>(plan.stages[piece.tag.stage].kind) : other_work;
  const float y = std::floor(corner.y + (line - size) / 2);
  fill_kind(theme, ImGui::GetWindowDrawList(), {corner.x, y}, {corner.x + size, y + size}, kind, -1);
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + size + 6 * theme.scale);
  ImGui::TextUnformatted(shortened(kind_words(kind), ImGui::GetContentRegionAvail().x).c_str());
  const auto cell = [&](const ImVec4& colour, const std::string& text) {
    if (ImGui::TableNextColumn()) right_aligned(theme, colour, text);
  };
  const int layer = known ? plan.stages[piece.tag.stage].layer : -1;
  const std::uint64_t bytes = all.bytes(plan, row);
  const auto us = [](std::int64_t ns) { return fmt::format("{:.2f}", static_cast<double>(ns) / 1e3); };
  cell(theme.secondary, std::to_string(token));
  cell(theme.secondary, layer >= 0 ? std::to_string(layer) : "–");
  cell(theme.secondary, us(all.start_ns(row)));
  cell(theme.text, us(piece.duration_ns));
  cell(theme.secondary, bytes > 0 ? bytes_text(bytes) : "–");
  cell(theme.text, us(row.adds_ns));
}

}  // namespace

void draw_records_state(PanelContext& context, Document& document, Flow& flow) {
  const auto& kept = document.timing_cache.record_rows;
  if (!kept.values) return;
  const auto count = [](std::size_t records) { return count_text(static_cast<long long>(records)); };
  const RecordRows& all = *kept.values;
  const std::string words =
      kept.making ? fmt::format("arranging {} records… {:.0f} %", count(all.records), 100 * kept.making->progress())
                  : fmt::format("{} of {} records, µs", count(all.rows.size()), count(all.records));
  flow.place(chip_width(words.c_str()));
  fact_chip(context.theme, words.c_str(),
            "Rows whose stages hold all words of the filter; \"token 17\" in it keeps that token alone.",
            context.theme.secondary);
}

void draw_timing_records(PanelContext& context, Document& document) {
  const Theme& theme = context.theme;
  TimingTableView& view = context.workspace.timing_table;
  const RecordRows* made = rows_of(context.workspace, document);
  if (made == nullptr)
    return draw_counting(context, "arranging", records_of(document),
                         document.timing_cache.record_rows.making->progress(), ImGui::GetContentRegionAvail());
  // Where nothing overlaps a record adds what it lasts, and in a narrow panel its tool tip tells the bytes.
  const bool adds = leaves_waiting_out(document.timing_cache.table);
  const bool narrow = ImGui::GetContentRegionAvail().x < 360 * theme.scale;
  if (!ImGui::BeginTable("records", 7, timing_table_flags, whole_rows())) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  const std::vector<std::string> headings = {"stage", "token", "layer", "start", "time", "bytes", "adds"};
  constexpr float weights[] = {2.1F, 0.9F, 0.8F, 1.0F, 0.9F, 1.2F, 0.85F};
  for (std::size_t i = 0; i < headings.size(); ++i) {
    const bool hidden = (!adds && headings[i] == "adds") || (narrow && headings[i] == "bytes");
    ImGui::TableSetupColumn(
        headings[i].c_str(),
        ImGuiTableColumnFlags_WidthStretch | (hidden ? ImGuiTableColumnFlags_Disabled : ImGuiTableColumnFlags_None),
        weights[i]);
  }
  draw_sorting_headings(theme, view, headings,
                        "Microseconds. Start: from the token's first piece of work. Time: as it was recorded, with "
                        "what a kernel waits for the one before it. Adds: by how much it lengthens the work, without "
                        "that. ");
  if (const double to = std::exchange(view.scroll_to, -1.0); to >= 0)
    ImGui::SetScrollY(static_cast<float>(to) * ImGui::GetScrollMaxY());
  ImGuiListClipper clipper;
  // The height is given, for far down it cannot be measured: there a pixel is less than a float's last digit.
  clipper.Begin(static_cast<int>(made->rows.size()), row_height());
  while (clipper.Step())
    for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) draw_row(context, document, *made, i);
  if (made->rows.empty()) {
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ImGui::TextColored(theme.secondary, "no such record");
  }
  ImGui::EndTable();
}

}  // namespace app
