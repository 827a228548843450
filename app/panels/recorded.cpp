// What a recorded profile shows in place of the token strip and the model map: the wall time of every measured token, and
// every layer as a stack of its stages' medians. Clicks choose tokens, layers and stages for all views.
#include "app/panels/parts.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

WallStrip make_wall_strip(const MeasuredTimes& times) {
  WallStrip out;
  profiler::Series walls = times.wall();
  out.outliers = profiler::outliers_of(walls);
  out.ns = std::move(walls.times_ns);
  out.numbers = std::move(walls.tokens);
  return out;
}

// Null: it is being made.
const WallStrip* walls_of(Workspace& workspace, Document& document) {
  return made_of(workspace, document, document.timing_cache.strip, document.recording->tokens.back(),
                 [](const auto&, const MeasuredTimes& times) { return make_wall_strip(times); });
}

}  // namespace

void draw_recorded_strip(PanelContext& context) {
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  const auto& tokens = workspace.document().recording->tokens;
  const float s = theme.scale;
  push_small(theme);
  const ImVec2 start = ImGui::GetCursorScreenPos();
  const float height = ImGui::GetContentRegionAvail().y, label = ImGui::CalcTextSize("wall time").x + 12 * s;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const WallStrip* made = walls_of(workspace, workspace.document());
  if (made == nullptr) {
    draw_counting(context, workspace.document(), workspace.document().timing_cache.strip,
                  ImGui::GetContentRegionAvail());
    ImGui::PopFont();
    return;
  }
  const WallStrip& walls = *made;
  const profiler::Outliers& outliers = walls.outliers;
  list->AddText({start.x, start.y}, packed(theme.secondary), "wall time");
  list->AddText({start.x, start.y + ImGui::GetTextLineHeight()}, packed(theme.faint), "of each token");
  const float left = start.x + std::max(label, ImGui::CalcTextSize("of each token").x + 12 * s);
  const float width = std::max(16.0F, start.x + ImGui::GetContentRegionAvail().x - left);
  ImGui::SetCursorScreenPos({left, start.y});
  ImGui::InvisibleButton("##walls", {width, height});
  const auto count = static_cast<std::int64_t>(tokens.size());
  // Two medians fill the height: outliers reach the top, and a mark says so.
  const double full = std::max(1.0, 2 * outliers.median_ns);
  const auto index_at = [&](float x) {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>((x - left) / width * static_cast<float>(count)), 0,
                                    count - 1);
  };
  // A column of pixels holds one token or the longest of several.
  const auto columns = std::min<std::int64_t>(count, static_cast<std::int64_t>(width / 2));
  const std::int64_t chosen =
      workspace.selection.token < 0 ? std::int64_t{tokens.back()->token} : workspace.selection.token;
  for (std::int64_t column = 0; column < columns; ++column) {
    const std::int64_t first = column * count / columns, last = std::max(first + 1, (column + 1) * count / columns);
    double wall = 0;
    bool shown = false;
    for (std::int64_t i = first; i < last; ++i) {
      wall = std::max(wall, walls.ns[static_cast<std::size_t>(i)]);
      shown = shown || walls.numbers[static_cast<std::size_t>(i)] == static_cast<std::uint32_t>(chosen);
    }
    const auto share = static_cast<float>(std::min(1.0, wall / full));
    const float from = left + width * static_cast<float>(column) / static_cast<float>(columns);
    const float to = left + width * static_cast<float>(column + 1) / static_cast<float>(columns);
    const bool outlier = wall > outliers.limit_ns && outliers.sigma_ns > 0;
    list->AddRectFilled({from, start.y + height * (1 - share)}, {std::max(from + 1, to - 1), start.y + height},
                        packed(shown     ? theme.accent
                               : outlier ? theme.value
                                         : theme.secondary,
                               shown || outlier ? 1.0F : 0.55F));
    // Where columns are narrow a mark for each of many is a line.
    if (outlier && to - from < 6 * s)
      list->AddRectFilled({from, start.y}, {to, start.y + 2 * s}, packed(theme.value));
    else if (outlier)
      list->AddTriangleFilled({(from + to) / 2 - 3 * s, start.y}, {(from + to) / 2 + 3 * s, start.y},
                              {(from + to) / 2, start.y + 4 * s}, packed(theme.value));
  }
  if (ImGui::IsItemHovered()) {
    const auto& token = tokens[static_cast<std::size_t>(index_at(ImGui::GetMousePos().x))];
    ImGui::SetTooltip("token %u: %s µs wall, median %s µs%s", token->token,
                      three_digits(static_cast<double>(token->wall_ns) / 1e3).c_str(),
                      three_digits(outliers.median_ns / 1e3).c_str(),
                      static_cast<double>(token->wall_ns) > outliers.limit_ns ? " · outlier" : "");
    if (ImGui::IsMouseDown(ImGuiMouseButton_Left)) workspace.selection.token = token->token;
  }
  ImGui::PopFont();
}

namespace {

// Null: they are being made.
const std::vector<TimingTableRow>* stage_rows(Workspace& workspace, Document& document) {
  return made_of(workspace, document, document.timing_cache.layers, document.recording->tokens.back(),
                 [](const engine::StepPlan& plan, const MeasuredTimes& times) {
                   return make_timing_rows(plan, times, ProfileRows::stages);
                 });
}

void choose(Selection& selection, const StageGroup& stage) {
  const bool again = selection.stage == stage.stage;
  selection.stage = again ? -1 : stage.stage;
  selection.stage_kind = again ? -1 : stage.kind;
  if (stage.layer >= 0) selection.layer = stage.layer;
}

}  // namespace

void draw_recorded_layers(PanelContext& context) {
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  const float s = theme.scale;
  const std::vector<TimingTableRow>* made = stage_rows(workspace, workspace.document());
  if (made == nullptr)
    return draw_counting(context, workspace.document(), workspace.document().timing_cache.layers,
                         ImGui::GetContentRegionAvail());
  const std::vector<TimingTableRow>& stages = *made;
  int layers = 0;
  for (const TimingTableRow& row : stages) layers = std::max(layers, row.group.layer + 1);
  std::vector<double> sums(static_cast<std::size_t>(layers) + 1);
  const auto place = [&](const StageGroup& group) {
    return static_cast<std::size_t>(group.layer >= 0 ? group.layer : layers);
  };
  for (const TimingTableRow& row : stages) sums[place(row.group)] += row.median_us;
  // What is outside of layers may take as long as many of them: it is cut off rather than setting the scale.
  const double longest = std::max(1e-9, layers > 0 ? *std::max_element(sums.begin(), sums.end() - 1) : sums.back());
  heading(theme, "Layers by the medians of their stages", "Microseconds. Click a stage to see it in all views.");

  push_small_numbers(theme);
  const ImVec2 start = ImGui::GetCursorScreenPos(), space = ImGui::GetContentRegionAvail();
  const auto rows = static_cast<float>(layers + 1);
  const float label = ImGui::CalcTextSize("rest ").x, number = ImGui::CalcTextSize(" 00000").x;
  const float pitch = std::clamp(space.y / rows, 3.0F, 26 * s);
  const float width = std::max(16.0F, space.x - label - number),
              bar = std::max(2.0F, pitch - std::max(1.0F, 0.2F * pitch));
  const int every = std::max(1, static_cast<int>(std::ceil(1.1F * ImGui::GetTextLineHeight() / pitch)));
  ImDrawList* list = ImGui::GetWindowDrawList();
  ImGui::InvisibleButton("##layers", {space.x, std::max(1.0F, pitch * rows)});
  const bool hovered = ImGui::IsItemHovered();
  const ImVec2 mouse = ImGui::GetMousePos();
  std::vector<double> reached(sums.size());
  const TimingTableRow* under = nullptr;
  for (const TimingTableRow& row : stages) {
    const std::size_t at = place(row.group);
    const float y = start.y + pitch * static_cast<float>(at);
    const auto x_of = [&](double us) {
      return start.x + label + width * static_cast<float>(std::min(1.0, us / longest));
    };
    const float from = x_of(reached[at]);
    reached[at] += row.median_us;
    const float to = x_of(reached[at]);
    const ImVec2 low(from, y), high(std::max(from + 1, to - (to - from > 4 ? 1.0F : 0.0F)), y + bar);
    fill_kind(theme, list, low, high, row.group.kind, workspace.selection.stage_kind);
    if (workspace.selection.stage == row.group.stage) list->AddRect(low, high, packed(theme.text), 0, 0, 1.5F * s);
    if (hovered && mouse.x >= low.x && mouse.x < high.x && mouse.y >= y && mouse.y < y + pitch) under = &row;
  }
  if (sums.back() > longest) {
    // A notch in the end says that the bar goes on.
    const float x = start.x + label + width, y = start.y + pitch * static_cast<float>(layers);
    list->AddTriangleFilled({x + 1, y}, {x + 1, y + bar}, {x - 0.5F * bar, y + bar / 2}, packed(theme.panel));
  }
  for (int layer = 0; layer <= layers; ++layer) {
    const bool chosen = layer < layers && layer == workspace.selection.layer;
    if (layer % every != 0 && layer != layers && !chosen) continue;
    if (layer == layers && layers % every != 0 && every > 1) continue;
    const float y = start.y + pitch * static_cast<float>(layer) + (bar - ImGui::GetTextLineHeight()) / 2;
    const ImVec4 colour = chosen ? theme.accent : theme.secondary;
    list->AddText({start.x, y}, packed(colour), layer < layers ? std::to_string(layer).c_str() : "rest");
    list->AddText({start.x + label + width + 4 * s, y}, packed(colour),
                  three_digits(sums[static_cast<std::size_t>(layer)]).c_str());
  }
  ImGui::PopFont();
  if (under == nullptr) return;
  if (ImGui::BeginTooltip()) {
    ImGui::Text("%s: %s ± %s µs", full_name(under->group).c_str(), three_digits(under->median_us).c_str(),
                three_digits(under->spread_us).c_str());
    ImGui::Text("%s GB/s, %s of the step", three_digits(under->gb_per_s).c_str(),
                fmt::format("{:.1f} %", 100 * under->share).c_str());
    ImGui::TextDisabled("Median and median absolute deviation of %zu tokens.", under->tokens);
    ImGui::EndTooltip();
  }
  if (ImGui::IsMouseReleased(ImGuiMouseButton_Left)) choose(workspace.selection, under->group);
}

}  // namespace app
