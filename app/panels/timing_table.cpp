#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace app {
namespace {

constexpr ImGuiTableFlags table_flags =
    ImGuiTableFlags_ScrollY | ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_NoPadOuterX | ImGuiTableFlags_RowBg;

void right_aligned(const Theme& theme, const ImVec4& colour, const std::string& text) {
  ImGui::PushFont(theme.numbers, 0.0F);
  const float width = ImGui::CalcTextSize(text.c_str()).x;
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, ImGui::GetContentRegionAvail().x - width));
  ImGui::TextColored(colour, "%s", text.c_str());
  ImGui::PopFont();
}

// Headings on the side where their numbers end.
void draw_headings(const Theme& theme, const std::vector<std::string>& headings) {
  ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
  for (std::size_t i = 0; i < headings.size(); ++i) {
    ImGui::TableSetColumnIndex(static_cast<int>(i));
    const float width = ImGui::CalcTextSize(headings[i].c_str()).x;
    if (i > 0) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, ImGui::GetContentRegionAvail().x - width));
    ImGui::TextColored(theme.secondary, "%s", headings[i].c_str());
  }
}

void draw_kind(const Theme& theme, int kind) {
  const float size = ImGui::GetTextLineHeight() * 0.6F;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float y = at.y + (ImGui::GetTextLineHeight() - size) / 2;
  ImGui::GetWindowDrawList()->AddRectFilled({at.x, y}, {at.x + size, y + size}, packed(stage_colour(kind)));
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + size + 6 * theme.scale);
  ImGui::TextUnformatted(kind_words(kind));
}

std::string bytes_words(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  return value >= 1e6 ? three_digits(value * 1e-6) + " MB" : three_digits(value * 1e-3) + " KB";
}

void draw_share(const Theme& theme, double share, int kind) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float height = ImGui::GetTextLineHeight() * 0.62F, number = 36 * theme.scale;
  const float width = std::max(8.0F, ImGui::GetContentRegionAvail().x - number);
  const float y = at.y + (ImGui::GetTextLineHeight() - height) / 2;
  const auto part = static_cast<float>(std::clamp(share, 0.0, 1.0));
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled({at.x, y}, {at.x + width, y + height}, packed(theme.well));
  list->AddRectFilled({at.x, y}, {at.x + width * part, y + height}, packed(stage_colour(kind)));
  right_aligned(theme, theme.secondary, fmt::format("{:.0f} %", 100 * share));
}

void draw_one(PanelContext& context, const Document& document) {
  const Theme& theme = context.theme;
  const TimingTable& table = document.timing_cache.table;
  if (!ImGui::BeginTable("stages", 6, table_flags)) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  ImGui::TableSetupColumn("stage", ImGuiTableColumnFlags_WidthStretch, 1.5F);
  ImGui::TableSetupColumn("median", ImGuiTableColumnFlags_WidthStretch, 1.15F);
  ImGui::TableSetupColumn("spread", ImGuiTableColumnFlags_WidthStretch, 0.7F);
  ImGui::TableSetupColumn("bytes", ImGuiTableColumnFlags_WidthStretch, 1.0F);
  ImGui::TableSetupColumn("rate", ImGuiTableColumnFlags_WidthStretch, 0.75F);
  ImGui::TableSetupColumn("share", ImGuiTableColumnFlags_WidthStretch, 1.4F);
  draw_headings(theme, {"stage", "median µs", "± µs", "bytes", "GB/s", "of the step"});
  for (const KindTimes& kind : table.kinds) {
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    draw_kind(theme, kind.kind);
    tooltip(
        fmt::format("{} of them in a step. Median and median absolute deviation of the last {} tokens; bytes counted "
                    "from shapes.",
                    kind.stages, table.tokens));
    ImGui::TableNextColumn();
    right_aligned(theme, theme.text, three_digits(kind.median_us));
    ImGui::TableNextColumn();
    right_aligned(theme, theme.secondary, three_digits(kind.spread_us));
    ImGui::TableNextColumn();
    right_aligned(theme, theme.secondary, bytes_words(kind.bytes));
    ImGui::TableNextColumn();
    right_aligned(theme, theme.text, three_digits(kind.gb_per_s));
    ImGui::TableNextColumn();
    draw_share(theme, kind.share, kind.kind);
  }
  ImGui::EndTable();
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

void draw_pair_row(const Theme& theme, double first, double second, bool comparable) {
  for (const double time : {first, second}) {
    ImGui::TableNextColumn();
    right_aligned(theme, theme.text, time >= 0 ? three_digits(time) : "–");
  }
  ImGui::TableNextColumn();
  draw_ratio(theme, first, second, comparable && second >= 0);
}

void draw_two(PanelContext& context, const Document& first, const Document& second) {
  const Theme& theme = context.theme;
  const TimingTable &a = first.timing_cache.table, &b = second.timing_cache.table;
  const bool comparable = a.source == b.source;
  if (!ImGui::BeginTable("stages", 4, table_flags)) return;
  ImGui::TableSetupScrollFreeze(0, 1);
  ImGui::TableSetupColumn("stage", ImGuiTableColumnFlags_WidthStretch, 1.4F);
  for (const char* name : {"first", "second", "ratio"})
    ImGui::TableSetupColumn(name, ImGuiTableColumnFlags_WidthStretch, 1.0F);
  draw_headings(theme, {"stage", first.name + " µs", second.name + " µs", "ratio"});
  std::vector<int> kinds;
  for (const TimingTable* table : {&a, &b})
    for (const KindTimes& kind : table->kinds)
      if (std::find(kinds.begin(), kinds.end(), kind.kind) == kinds.end()) kinds.push_back(kind.kind);
  std::sort(kinds.begin(), kinds.end());
  for (const int kind : kinds) {
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    draw_kind(theme, kind);
    const KindTimes *in_a = find_kind(a, kind), *in_b = find_kind(b, kind);
    draw_pair_row(theme, in_a != nullptr ? in_a->median_us : -1, in_b != nullptr ? in_b->median_us : -1, comparable);
  }
  for (const auto& [name, in_a, in_b] :
       {std::tuple{"gaps", a.gaps_us, b.gaps_us}, {"step, wall", a.wall_us, b.wall_us}}) {
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ImGui::TextColored(theme.value, "%s", name);
    draw_pair_row(theme, in_a, in_b, comparable);
  }
  ImGui::EndTable();
}

}  // namespace

void draw_timing_table(PanelContext& context, const std::vector<Document*>& documents) {
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(6 * context.theme.scale, 1.5F * context.theme.scale));
  if (documents.size() > 1)
    draw_two(context, *documents[0], *documents[1]);
  else
    draw_one(context, *documents[0]);
  ImGui::PopStyleVar();
}

}  // namespace app
