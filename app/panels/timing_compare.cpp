// Two profiles, recorded or live, row by row: medians, their ratio with its interval, and whether the difference can be chance.
// The comparison is made in the background, for its intervals are resampled.
#include "app/panels/empty_state.h"
#include "app/panels/parts.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/compared_rows.h"
#include "app/viewmodel/numbers.h"
#include "app/wiring/recorded_profile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr double threshold = 0.05;
constexpr double again_after_s = 2;  // live times change ten times a second; a comparison need not

std::shared_ptr<const ProfileResult> profile_of(const Document& document) {
  if (document.recording) return document.recording;
  auto profile = std::make_shared<ProfileResult>();
  profile->model = document.name;
  profile->config = document.config();
  if (!document.model->weights.layers.empty())
    profile->weights = kernels::name_of(document.model->weights.layers.front().in_proj.dtype);
  profile->backend = document.snapshot->backend;
  profile->plan = document.plan();
  profile->status = document.timings->status();
  profile->tokens = document.timings->newest(TimingStore::default_tokens);
  profile->program = "live";
  return profile;
}

// What the comparison is made from: changes when it must be made again.
std::string key_of(const Workspace& workspace, const Document& a, const Document& b) {
  const auto side = [](const Document& document) {
    const auto tokens = document.timings->newest(1);
    return fmt::format("{}:{}", document.name, tokens.empty() ? 0 : tokens.back()->wall_start_ns);
  };
  return fmt::format("{}|{}|{}", side(a), side(b), static_cast<int>(workspace.compare.rows));
}

// Takes what was made, and starts to make what is wanted.
void refresh(Workspace& workspace, Document& a, Document& b) {
  CompareView& view = workspace.compare;
  const std::string wanted = key_of(workspace, a, b);
  const bool was_making = view.made.making != nullptr;
  if (view.made.poll()) workspace.requests.redraw = true;
  if (was_making && !view.made.making) view.made_s = ImGui::GetTime();
  const std::pair<const void*, const void*> pair(&a, &b);
  const bool same = view.pair == pair && view.made_rows == view.rows;
  if (same && (view.made.making || view.made.get(wanted) != nullptr)) return;
  if (same && view.made.values && ImGui::GetTime() - view.made_s < again_after_s) return;
  if (!same) view.made.values.reset();  // of other profiles or rows
  view.pair = pair;
  view.made_rows = view.rows;
  view.made.start(wanted, [first = profile_of(a), second = profile_of(b),
                           rows = view.rows](const profiler::GoesOn& goes_on) {
    CompareView::Made made;
    made.reasons = why_not_comparable(*first, *second);
    made.differences = differences(*first, *second);
    made.comparison = compare_profiles(*first, *second, rows, threshold, 0, goes_on);
    made.rows = made.comparison.rows;
    if (!made.rows.empty())
      made.rows.insert(made.rows.begin() + 1, gaps_row(made.comparison, first->tokens.size(), second->tokens.size()));
    // A layer's stages add up to the same work.
    if (rows != ProfileRows::layers) made.elsewhere = work_elsewhere(*first, *second);
    return made;
  });
  workspace.requests.redraw = true;
}

Document* other_of(Workspace& workspace) {
  CompareView& view = workspace.compare;
  const auto good = [&](int i) {
    return i >= 0 && i < static_cast<int>(workspace.documents.size()) && i != workspace.active &&
           workspace.documents[static_cast<std::size_t>(i)].has_times();
  };
  if (!good(view.other)) {
    view.other = -1;
    for (int i = 0; i < static_cast<int>(workspace.documents.size()) && view.other < 0; ++i)
      if (good(i)) view.other = i;
  }
  return view.other < 0 ? nullptr : &workspace.documents[static_cast<std::size_t>(view.other)];
}

void draw_without_other(PanelContext& context) {
  draw_empty_state(
      context.theme, "Nothing to compare with",
      "This page holds a second profile against this one, row by row. Click a recorded one below, drop a file of "
      "profile --save on the window, or open another model and step it.");
  draw_shipped_links(context, "");
}

const char* short_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::unlike:
      return "not in both";
    case Verdict::too_few:
      return "too few tokens";
    case Verdict::no_change:
      return "no difference shown";
    case Verdict::below_tick:
      return "below a tick";
    case Verdict::faster:
      return "faster";
    case Verdict::slower:
      return "slower, within 5 %";
    case Verdict::regression:
      return "slower beyond 5 %";
  }
  return "";
}

ImVec4 colour_of(const Theme& theme, Verdict verdict) {
  return verdict == Verdict::regression ? theme.error
         : verdict == Verdict::slower   ? theme.warning
         : verdict == Verdict::faster   ? theme.success
                                        : theme.secondary;
}

// Where a ratio lies on a logarithmic axis around 1, whose ends are `most` and 1 / most, 0..1.
float place_of(double ratio, double most) {
  return static_cast<float>(std::clamp(0.5 + 0.5 * std::log(ratio) / std::log(most), 0.0, 1.0));
}

// Round ratios on that axis with room for their numbers, those that count most first.
std::vector<double> scale_of(double most, float width) {
  std::vector<double> out;
  const float apart = ImGui::CalcTextSize("0.00").x * 1.6F / std::max(1.0F, width);
  for (const double ratio : {1.0, 2.0, 0.5, 4.0, 0.25, 1.25, 0.8, 1.5, 0.67, 1.1, 0.9, 3.0, 0.33, 1.05, 0.95}) {
    const float at = place_of(ratio, most);
    if (ratio > most || ratio < 1 / most) continue;
    if (std::all_of(out.begin(), out.end(), [&](double o) { return std::abs(place_of(o, most) - at) >= apart; }))
      out.push_back(ratio);
  }
  return out;
}

// A row with the numbers of that axis.
void draw_scale(const Theme& theme, double most) {
  ImGui::TableNextRow();
  ImGui::TableSetColumnIndex(4);
  push_small(theme);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x;
  for (const double ratio : scale_of(most, width)) {
    const std::string words = fmt::format("{:g}", ratio);
    const float half = ImGui::CalcTextSize(words.c_str()).x / 2, x = at.x + width * place_of(ratio, most);
    ImGui::GetWindowDrawList()->AddText({std::clamp(x - half, at.x, at.x + width - 2 * half), at.y},
                                        packed(theme.secondary), words.c_str());
  }
  ImGui::Dummy({1, ImGui::GetTextLineHeight()});
  ImGui::PopFont();
}

// The ratio's interval on that axis; grey between the thresholds.
void draw_interval(const Theme& theme, const ComparedRow& row, double most) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = ImGui::GetTextLineHeight(), s = theme.scale;
  ImDrawList* list = ImGui::GetWindowDrawList();
  push_small(theme);
  for (const double ratio : scale_of(most, width))
    list->AddLine({at.x + width * place_of(ratio, most), at.y}, {at.x + width * place_of(ratio, most), at.y + height},
                  packed(theme.secondary, 0.18F), s);
  ImGui::PopFont();
  ImGui::Dummy({width, height});
  if (row.verdict == Verdict::unlike || !(row.ratio.ratio > 0)) return;
  const auto place = [&](double ratio) { return at.x + width * place_of(ratio, most); };
  list->AddRectFilled({place(1 / (1 + threshold)), at.y + 2 * s}, {place(1 + threshold), at.y + height - 2 * s},
                      packed(theme.well));
  list->AddLine({place(1), at.y}, {place(1), at.y + height}, packed(theme.secondary, 0.8F), s);
  const ImU32 colour = packed(colour_of(theme, row.verdict));
  const float y = std::floor(at.y + height / 2), from = place(row.ratio.low), to = place(row.ratio.high);
  if (row.ratio.low > 0) {
    list->AddLine({from, y}, {std::max(to, from + 1), y}, colour, 2 * s);
    for (const float x : {from, to}) list->AddLine({x, y - 3 * s}, {x, y + 3 * s}, colour, 1.5F * s);
  }
  list->AddCircleFilled({place(row.ratio.ratio), y}, 3 * s, colour);
}

// Where the axis of ratios ends: beyond all intervals, 1.1 at least and 4 at most.
double axis_end(const std::vector<ComparedRow>& rows) {
  double most = 1.1;
  for (const ComparedRow& row : rows) {
    if (row.verdict == Verdict::unlike || !(row.ratio.low > 0)) continue;
    most = std::max({most, row.ratio.high, 1 / row.ratio.low});
  }
  return std::min(4.0, 1.05 * most);
}

void draw_controls(PanelContext& context, const Document& a, const Document& b) {
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  CompareView& view = workspace.compare;
  Flow flow(6 * theme.scale);
  const std::string words = fmt::format("A: {}", a.name);
  flow.place(chip_width(words.c_str()));
  fact_chip(theme, words.c_str(), "The active profile; choose another one in the bar above.", theme.text);
  for (int i = 0; i < static_cast<int>(workspace.documents.size()); ++i) {
    const Document& other = workspace.documents[static_cast<std::size_t>(i)];
    if (i == workspace.active || !other.has_times()) continue;
    const std::string label = fmt::format("B: {}", other.name);
    flow.place(chip_width(label.c_str()));
    ImGui::PushID(i);
    if (chip(theme, label.c_str(), &other == &b, "Hold this one against the active profile.")) view.other = i;
    ImGui::PopID();
  }
  for (const auto& [label, rows] : {std::pair{"by kind", ProfileRows::kinds},
                                    {"by layer", ProfileRows::layers},
                                    {"by stage", ProfileRows::stages}}) {
    flow.place(chip_width(label));
    if (chip(theme, label, view.rows == rows)) view.rows = rows;
  }
  flow.place(chip_width("significant"));
  if (chip(theme, "significant", view.significant_only,
           "Only rows whose difference is hardly chance: adjusted p below 0.01."))
    view.significant_only = !view.significant_only;
  const float width = 120 * theme.scale;
  flow.place(width);
  push_small(theme);
  ImGui::SetNextItemWidth(width);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(7 * theme.scale, 2 * theme.scale));
  ImGui::InputTextWithHint("##compare filter", "filter by name", &view.filter);
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

void draw_headings(const Theme& theme, CompareView& view) {
  static constexpr const char* names[] = {"stage", "A median µs", "B median µs", "B / A", "95 % interval of B / A",
                                          "p",     "finding"};
  ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
  for (int i = 0; i < 7; ++i) {
    ImGui::TableSetColumnIndex(i);
    const bool sorted = view.sorted_by == i;
    const std::string text = std::string(names[i]) + (sorted ? view.descending ? " ▼" : " ▲" : "");
    const float space = ImGui::GetContentRegionAvail().x, width = ImGui::CalcTextSize(text.c_str()).x;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushID(i);
    if (ImGui::InvisibleButton("##sort", {std::max(8.0F, space), ImGui::GetTextLineHeight()})) {
      if (!sorted) {
        view.sorted_by = i;
        view.descending = i != 0;
      } else if (view.descending == (i != 0)) {
        view.descending = !view.descending;
      } else {
        view.sorted_by = -1;
      }
    }
    const bool hovered = ImGui::IsItemHovered();
    tooltip(fmt::format("{}: click to sort", names[i]));
    ImGui::PopID();
    const bool right = (i > 0 && i < 4) || i == 5;
    ImGui::GetWindowDrawList()->AddText({right ? at.x + std::max(0.0F, space - width) : at.x, at.y},
                                        packed(sorted || hovered ? theme.text : theme.secondary), text.c_str());
  }
}

// `elsewhere`: kinds of one variant lie in stages of other names in the other.
void draw_row(PanelContext& context, const ComparedRow& row, double most, bool elsewhere) {
  const Theme& theme = context.theme;
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  const float line = ImGui::GetTextLineHeight(), size = std::floor(line * 0.62F);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const bool gaps = row.name == gaps_name, holds_more = elsewhere && row.kind >= 0;
  if (row.kind >= 0 || gaps) {
    const float y = std::floor(at.y + (line - size) / 2);
    fill_kind(theme, ImGui::GetWindowDrawList(), {at.x, y}, {at.x + size, y + size}, gaps ? nothing_ran : row.kind, -1);
    ImGui::SetCursorPosX(ImGui::GetCursorPosX() + size + 6 * theme.scale);
  }
  const bool both = row.verdict != Verdict::unlike;
  ImGui::TextUnformatted(
      shortened(row.name + (holds_more && both ? " *" : ""), ImGui::GetContentRegionAvail().x).c_str());
  tooltip(fmt::format("{}: {} and {} tokens{}", row.name, row.tokens_a, row.tokens_b,
                      gaps                 ? ". Time in which nothing ran; the test of the whole step holds it."
                      : holds_more && both ? ". It need not do the same in both variants: see above the table."
                                           : ""));
  ImGui::TableNextColumn();
  right_aligned(theme, theme.text, row.tokens_a > 0 ? three_digits(row.median_a_us) : "–");
  ImGui::TableNextColumn();
  right_aligned(theme, theme.text, row.tokens_b > 0 ? three_digits(row.median_b_us) : "–");
  ImGui::TableNextColumn();
  right_aligned(theme, colour_of(theme, row.verdict),
                (both || gaps) && row.ratio.ratio > 0 ? fmt::format("{:.3f}", row.ratio.ratio) : "–");
  ImGui::TableNextColumn();
  draw_interval(theme, row, most);
  if (both)
    tooltip(
        fmt::format("B / A lies between {:.3f} and {:.3f}: 95 % bootstrap interval", row.ratio.low, row.ratio.high));
  ImGui::TableNextColumn();
  right_aligned(theme, theme.secondary,
                !both                   ? "–"
                : row.adjusted_p < 1e-4 ? "< 0.0001"
                                        : fmt::format("{:.4f}", row.adjusted_p));
  ImGui::TableNextColumn();
  if (gaps) return ImGui::TextColored(theme.secondary, "not tested");
  ImGui::TextColored(colour_of(theme, row.verdict), "%s", short_name(row.verdict));
  tooltip(name_of(row.verdict));
}

void draw_table(PanelContext& context, const CompareView::Made& made) {
  const Theme& theme = context.theme;
  CompareView& view = context.workspace.compare;
  constexpr ImGuiTableFlags flags =
      ImGuiTableFlags_ScrollY | ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_NoPadOuterX | ImGuiTableFlags_RowBg;
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(8 * theme.scale, 1.5F * theme.scale));
  if (ImGui::BeginTable("compared", 7, flags, ImGui::GetContentRegionAvail())) {
    ImGui::TableSetupScrollFreeze(0, 2);
    for (const auto& [name, weight] : {std::pair{"stage", 2.0F},
                                       {"a", 1.0F},
                                       {"b", 1.0F},
                                       {"ratio", 0.7F},
                                       {"interval", 2.2F},
                                       {"p", 0.8F},
                                       {"finding", 1.5F}})
      ImGui::TableSetupColumn(name, ImGuiTableColumnFlags_WidthStretch, weight);
    draw_headings(theme, view);
    const std::vector<ComparedRow>& rows = made.rows;
    const double most = axis_end(rows);
    draw_scale(theme, most);
    const std::vector<int> order = arranged(rows, view.filter, view.significant_only, view.sorted_by, view.descending);
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(order.size()));
    while (clipper.Step())
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i)
        draw_row(context, rows[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])], most,
                 !made.elsewhere.empty());
    if (order.empty()) {
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      ImGui::TextColored(theme.secondary, "no such row");
    }
    ImGui::EndTable();
  }
  ImGui::PopStyleVar();
}

}  // namespace

void draw_shipped_links(PanelContext& context, const std::string& beginning) {
  static const std::vector<std::string> shipped = shipped_recordings();  // a folder is read
  const auto& recording = context.workspace.document().recording;
  const std::string open = recording ? recording->recording : std::string();
  const float gap = 10 * context.theme.scale, room = ImGui::GetContentRegionAvail().x;
  std::vector<std::string> names;
  float width = 0;
  for (const std::string& name : shipped) {
    if (name.rfind(beginning, 0) != 0 || name == open) continue;
    names.push_back(name);
    width += ImGui::CalcTextSize(name.c_str()).x + gap;
  }
  ImGui::Spacing();
  const float indent = std::max(1.0F, std::floor((room - std::min(width - gap, 0.8F * room)) / 2));
  ImGui::Indent(indent);
  if (names.empty()) ImGui::TextColored(context.theme.secondary, "none comes with the program");
  ImGui::BeginGroup();
  Flow flow(gap);
  for (const std::string& name : names) {
    flow.place(ImGui::CalcTextSize(name.c_str()).x);
    if (link(context.theme, name.c_str())) context.workspace.requests.open_profile = name;
  }
  ImGui::EndGroup();
  ImGui::Unindent(indent);
}

void draw_timing_compare(PanelContext& context, ImVec2) {
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  Document& a = workspace.document();
  Document* b = other_of(workspace);
  if (b == nullptr) return draw_without_other(context);
  refresh(workspace, a, *b);
  draw_controls(context, a, *b);
  const CompareView& view = workspace.compare;
  if (!view.made.values) {
    const auto& making = view.made.making;
    return draw_counting(context, "comparing", records_of(a) + records_of(*b), making ? making->progress() : 0,
                         ImGui::GetContentRegionAvail());
  }
  const CompareView::Made& made = *view.made.values;
  push_small(theme);
  ImGui::PushTextWrapPos(0);
  if (!made.reasons.empty())
    ImGui::TextColored(theme.value, "They measure different things: %s.",
                       fmt::format("{}", fmt::join(made.reasons, "; ")).c_str());
  ImGui::TextColored(
      theme.secondary,
      "%s%s%sp: Mann and Whitney's rank test, adjusted by Holm's method. The clocks tell %s µs apart. Two runs "
      "of one program differ as well.",
      made.comparison.clock == profiler::StageClock::waiting_out
          ? "Waiting left out: kernels overlap in one of them, and a row's time is by how much it lengthens the work, "
            "in "
            "both. "
          : "",
      made.differences.empty() ? "" : fmt::format("Differ in {}. ", fmt::join(made.differences, "; ")).c_str(),
      made.elsewhere.empty() ? "" : fmt::format("* {}. ", made.elsewhere).c_str(),
      three_digits(made.comparison.tick_us).c_str());
  ImGui::PopTextWrapPos();
  ImGui::PopFont();
  draw_table(context, made);
}

}  // namespace app
