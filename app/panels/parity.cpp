// The parity panel: what each backend of this machine leaves behind the shown token, beside the reference in double
// precision, as a grid of layers by tensors. The bench itself runs in the background (app/wiring/parity.h).
#include "app/wiring/parity.h"

#include "app/panels/empty_state.h"
#include "app/panels/panels.h"
#include "app/panels/parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/in_force.h"
#include "app/viewmodel/parity_grid.h"

#include <fmt/format.h>
#include <imgui.h>

#include <misc/cpp/imgui_stdlib.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace app {

namespace {

using engine::ParityCell;
using engine::ParityRow;
using engine::ParityTensor;
using State = ParityProgressReport::State;

constexpr const char* run_label = "Compare backends";

// The limit's own colour stands apart from the scale below it.
ImVec4 below_limit_colour(const Theme& /*theme*/, float t) { return sequential_colour(0.08F + 0.84F * t); }

ImVec4 cell_colour(const Theme& theme, const ParityCell& cell) {
  return cell.over() ? theme.error : below_limit_colour(theme, heat(cell));
}

// Black or white, whichever reads better on the colour.
ImVec4 ink_on(const ImVec4& colour) {
  const float luminance = 0.299F * colour.x + 0.587F * colour.y + 0.114F * colour.z;
  return luminance > 0.5F ? ImVec4(0, 0, 0, 0.9F) : ImVec4(1, 1, 1, 0.92F);
}

void draw_plant(PanelContext& context, Flow& flow, bool running) {
  const Theme& theme = context.theme;
  const char* word = "turn a sign";
  const float gap = 5 * theme.scale, width = 176 * theme.scale;
  flow.place_right(ImGui::CalcTextSize(word).x + gap + width);
  ImGui::AlignTextToFramePadding();
  ImGui::TextColored(theme.secondary, "%s", word);
  ImGui::SameLine(0, gap);
  ImGui::SetNextItemWidth(width);
  ImGui::BeginDisabled(running);
  ImGui::InputTextWithHint("##plant", "layers.0.mixer.D[1]", &context.workspace.parity.plant);
  ImGui::EndDisabled();
  tooltip(
      "To see that errors are found: the sign of this one weight is turned in every candidate, and not in the "
      "reference. "
      "TENSOR[INDEX] with the tensor's official name. Empty: the weights as they are.");
}

void draw_controls(PanelContext& context, const ParityProgressReport* report) {
  const Theme& theme = context.theme;
  const bool running = report != nullptr && report->state == State::running;
  Flow flow(10 * theme.scale);
  if (running) {
    flow.place(button_width("Cancel"));
    if (ImGui::Button("Cancel")) context.workspace.document().parity->cancel();
    tooltip("End now; candidates that are complete stay.");
    const std::string text = fmt::format("{} · {:.0f} %", report->now, 100 * report->done);
    const float width = 260 * theme.scale;
    flow.place(width);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushStyleColor(ImGuiCol_PlotHistogram, ImVec4(theme.accent_filled.x, theme.accent_filled.y,
                                                         theme.accent_filled.z, theme.light ? 1.0F : 0.45F));
    ImGui::ProgressBar(static_cast<float>(report->done), {width, ImGui::GetFrameHeight()}, "");
    ImGui::PopStyleColor();
    ImGui::GetWindowDrawList()->AddText({at.x + 8 * theme.scale, at.y + ImGui::GetStyle().FramePadding.y},
                                        packed(theme.text), shortened(text, width - 16 * theme.scale).c_str());
  } else if (report != nullptr) {  // else the empty state has the button
    flow.place(button_width(run_label) + 4);
    if (primary_button(theme, run_label)) context.workspace.requests.parity = true;
    tooltip(
        "Read the text up to the shown token with every backend of this machine and with the reference in double "
        "precision, and compare what each leaves. Runs in the background.");
  }
  draw_plant(context, flow, running);
}

// Of which token, against what; and that it is of another one than the one that is shown.
void draw_subject(PanelContext& context, const ParityQuestion& question, const ParityProgressReport& report) {
  const Theme& theme = context.theme;
  const Document& document = context.workspace.document();
  const auto position = static_cast<std::int64_t>(question.ids.size()) - 1;
  std::string text = fmt::format("token {} {} · against double precision · limit {:g} of a tensor's largest value",
                                 position, document.model->symbol(question.ids.back()), engine::ParityOptions().rtol);
  if (!question.interventions.empty()) text += " · under " + in_force_words(question.interventions);
  if (!question.plant.empty()) text += fmt::format(" · sign of {} turned", question.plant);
  if (report.state == State::cancelled) text += " · cancelled";
  if (report.state == State::done && !report.error) text += fmt::format(" · {:.2g} s", report.seconds);
  const engine::TokenRecord* shown = context.workspace.shown();
  const bool other = shown != nullptr && shown->position != position;
  if (other) text = fmt::format("token {} is shown; this is of ", shown->position) + text;
  push_small(theme);
  ImGui::TextColored(other ? theme.warning : theme.secondary, "%s",
                     shortened(text, ImGui::GetContentRegionAvail().x).c_str());
  ImGui::PopFont();
  tooltip(text);
}

void draw_candidates(PanelContext& context, const engine::ParityReport& report, int chosen) {
  const Theme& theme = context.theme;
  const engine::ModelConfig& config = context.workspace.document().config();
  ParityView& view = context.workspace.parity;
  Flow flow(5 * theme.scale);
  std::string absent;
  int not_run = 0;
  for (int i = 0; i < static_cast<int>(report.rows.size()); ++i) {
    const ParityRow& row = report.rows[static_cast<std::size_t>(i)];
    const std::string tip = verdict_words(config, row);
    if (row.outcome == ParityRow::Outcome::absent) {
      ++not_run;
      absent += (absent.empty() ? "" : "\n") + tip;
      continue;
    }
    const std::string label = fmt::format("{} {}", row.pass() ? "✓" : "✗", row.name);
    flow.place(chip_width(label.c_str()));
    if (chip(theme, label.c_str(), i == chosen, tip.c_str())) {
      view.candidate = i;
      view.cell = -1;
    }
  }
  if (not_run == 0) return;
  const std::string label = fmt::format("{} not run", not_run);
  flow.place(chip_width(label.c_str()));
  fact_chip(theme, label.c_str(), absent.c_str());
}

// Which of the two comparisons, and the scale of colours.
void draw_legend(PanelContext& context, const ParityRow& row, bool step) {
  const Theme& theme = context.theme;
  ParityView& view = context.workspace.parity;
  Flow flow(5 * theme.scale);
  if (!row.step.empty()) {
    flow.place(chip_width("step by step"));
    if (chip(theme, "step by step", step,
             "The last token by itself: from the reference's state, and each layer from the reference's residual. A "
             "cell "
             "over the limit is wrong by itself or by what is before it in the same layer."))
      view.step = true;
    flow.place(chip_width("after the text"));
    if (chip(theme, "after the text", !step,
             "What the candidate left after it read the whole text by itself. Differences add up over tokens and reach "
             "all layers behind."))
      view.step = false;
  } else {
    flow.place(chip_width("after the text"));
    fact_chip(theme, "after the text",
              "A prefill takes many tokens through a layer at once: only its end is compared.");
  }
  push_small(theme);
  const float bar = 120 * theme.scale, swatch = 18 * theme.scale, gap = 6 * theme.scale;
  const float low = ImGui::CalcTextSize("1/10,000").x, limit = ImGui::CalcTextSize("limit").x,
              over = ImGui::CalcTextSize("over").x;
  flow.place_right(low + bar + limit + swatch + over + 5 * gap);
  const float height = ImGui::GetTextLineHeight();
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + 0.5F * (ImGui::GetFrameHeight() - height) * 0.6F);
  ImGui::BeginGroup();
  ImGui::TextColored(theme.secondary, "1/10,000");
  ImGui::SameLine(0, gap);
  ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* list = ImGui::GetWindowDrawList();
  colour_bar(list, {at.x, at.y + 2}, {at.x + bar, at.y + height - 1}, below_limit_colour, theme);
  ImGui::Dummy({bar, height});
  ImGui::SameLine(0, gap);
  ImGui::TextColored(theme.secondary, "limit");
  ImGui::SameLine(0, 2 * gap);
  at = ImGui::GetCursorScreenPos();
  list->AddRectFilled({at.x, at.y + 2}, {at.x + swatch, at.y + height - 1}, packed(theme.error), 2 * theme.scale);
  ImGui::Dummy({swatch, height});
  ImGui::SameLine(0, gap);
  ImGui::TextColored(theme.secondary, "over");
  ImGui::EndGroup();
  ImGui::PopFont();
  tooltip("A cell's largest difference over its limit, on a logarithmic scale of four decades.");
}

struct Grid {
  const std::vector<ParityCell>& cells;
  const engine::ModelConfig& config;
  const ParityCell* begins = nullptr;
  bool scroll = false;  // to where the error begins
  float label = 0, column = 0, row = 0, gap = 0;
};

void choose_cell(Workspace& workspace, const Grid& grid, const ParityCell& cell) {
  workspace.parity.cell = static_cast<int>(engine::parity_cell_index(grid.config, cell.layer, cell.tensor));
  if (cell.layer < 0) return;
  Selection& selection = workspace.selection;
  selection.layer = cell.layer;
  if (const int head = engine::head_of(grid.config, cell.tensor, cell.index); head >= 0) selection.head = head;
}

void draw_cell(PanelContext& context, const Grid& grid, const ParityCell& cell, float width) {
  const Theme& theme = context.theme;
  Workspace& workspace = context.workspace;
  const ImVec2 low = ImGui::GetCursorScreenPos(), high(low.x + width, low.y + grid.row);
  if (ImGui::InvisibleButton(engine::describe(cell).c_str(), {width, grid.row})) choose_cell(workspace, grid, cell);
  const bool hovered = ImGui::IsItemHovered();
  tooltip(cell_words(grid.config, cell));
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float rounding = 3 * theme.scale;
  const ImVec4 colour = cell.values == 0 ? theme.well : cell_colour(theme, cell);
  list->AddRectFilled(low, high, packed(colour), rounding);
  const std::string text = cell.values == 0 ? "–" : cell_text(cell);
  push_small_numbers(theme);
  const ImVec2 size = ImGui::CalcTextSize(text.c_str());
  if (size.x + 4 * theme.scale <= width && size.y <= grid.row)
    list->AddText({std::floor((low.x + high.x - size.x) / 2), std::floor((low.y + high.y - size.y) / 2)},
                  packed(cell.values == 0 ? theme.faint : ink_on(colour)), text.c_str());
  ImGui::PopFont();
  if (cell.not_finite > 0) {  // told without reading
    list->AddLine({low.x + 2, high.y - 2}, {high.x - 2, low.y + 2}, packed(ink_on(colour), 0.35F), 1.5F * theme.scale);
  }
  const auto index = static_cast<int>(engine::parity_cell_index(grid.config, cell.layer, cell.tensor));
  const bool chosen = index == workspace.parity.cell;
  const bool begins = grid.begins != nullptr && grid.begins->layer == cell.layer && grid.begins->tensor == cell.tensor;
  if (chosen || hovered || begins)
    list->AddRect(low, high,
                  packed(chosen    ? theme.text
                         : hovered ? theme.secondary
                                   : theme.warning),
                  rounding, 0, (chosen || begins ? 2.0F : 1.0F) * theme.scale);
}

void row_label(const Theme& theme, const Grid& grid, const std::string& text, bool chosen) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  push_small_numbers(theme);
  const float height = ImGui::GetTextLineHeight();
  ImGui::GetWindowDrawList()->AddText({at.x, std::floor(at.y + (grid.row - height) / 2)},
                                      packed(chosen ? theme.accent : theme.secondary), text.c_str());
  ImGui::PopFont();
  ImGui::Dummy({grid.label, grid.row});
  ImGui::SameLine(0, grid.gap);
}

// As the inspector writes them; what is no letter keeps its name.
const char* heading_of(ParityTensor tensor) {
  switch (tensor) {
    case ParityTensor::lambda:
      return "λ";
    case ParityTensor::alpha:
      return "α";
    case ParityTensor::beta:
      return "β";
    case ParityTensor::gamma:
      return "γ";
    default:
      return engine::name_of(tensor);
  }
}

void draw_headings(const Theme& theme, const Grid& grid, float height) {
  const ImVec2 top = ImGui::GetCursorScreenPos();
  push_small(theme);
  for (std::size_t i = 0; i < engine::layer_tensors.size(); ++i) {
    const std::string name = shortened(heading_of(engine::layer_tensors[i]), grid.column);
    const float x = top.x + grid.label + grid.gap + static_cast<float>(i) * (grid.column + grid.gap);
    const float width = ImGui::CalcTextSize(name.c_str()).x;
    ImGui::GetWindowDrawList()->AddText({std::floor(x + (grid.column - width) / 2), top.y}, packed(theme.secondary),
                                        name.c_str());
  }
  ImGui::PopFont();
  ImGui::Dummy({1, height});
}

// Headings stay while the layers scroll.
void draw_grid(PanelContext& context, Grid grid, float height) {
  const Theme& theme = context.theme;
  const int layers = grid.config.n_layer;
  const auto columns = static_cast<float>(engine::layer_tensors.size());
  grid.gap = 2 * theme.scale;
  push_small_numbers(theme);
  const float header = ImGui::GetTextLineHeight() + 3 * theme.scale;
  grid.label = ImGui::CalcTextSize("embedding").x + 6 * theme.scale;
  ImGui::PopFont();
  const float rows = static_cast<float>(layers + 2);
  height -= header;
  grid.row = std::floor(std::clamp(height / rows - grid.gap, 15 * theme.scale, 30 * theme.scale));
  const float needed = rows * (grid.row + grid.gap) + grid.gap;
  const float scrollbar = needed > height ? ImGui::GetStyle().ScrollbarSize : 0;
  const float room = ImGui::GetContentRegionAvail().x - grid.label - scrollbar;
  grid.column = std::floor(std::clamp(room / columns - grid.gap, 20 * theme.scale, 84 * theme.scale));
  const float whole = columns * (grid.column + grid.gap) - grid.gap;
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2(grid.gap, grid.gap));
  draw_headings(theme, grid, header);
  ImGui::BeginChild("##grid", {0, std::min(height, needed)}, ImGuiChildFlags_None, ImGuiWindowFlags_None);
  row_label(theme, grid, "embedding", false);
  draw_cell(context, grid, grid.cells.front(), whole);
  for (int layer = 0; layer < layers; ++layer) {
    if (grid.scroll && grid.begins != nullptr && grid.begins->layer == layer) ImGui::SetScrollHereY(0.5F);
    row_label(theme, grid, fmt::format("layer {}", layer), layer == context.workspace.selection.layer);
    for (const ParityTensor tensor : engine::layer_tensors) {
      if (tensor != engine::layer_tensors.front()) ImGui::SameLine(0, grid.gap);
      draw_cell(context, grid, grid.cells[engine::parity_cell_index(grid.config, layer, tensor)], grid.column);
    }
  }
  row_label(theme, grid, "logits", false);
  draw_cell(context, grid, grid.cells.back(), whole);
  ImGui::EndChild();
  ImGui::PopStyleVar();
}

void draw_measured(PanelContext& context, const ParityRow& row, bool fresh) {
  const Theme& theme = context.theme;
  ParityView& view = context.workspace.parity;
  const engine::ModelConfig& config = context.workspace.document().config();
  const bool step = !row.step.empty() && view.step;
  const std::vector<ParityCell>& cells = step ? row.step : row.text;
  const ParityCell* begins = row.begins();
  if (begins != nullptr && row.begins_in_step() != step) begins = nullptr;
  ImGui::PushStyleColor(ImGuiCol_Text, row.pass() ? theme.success : theme.error);
  push_small(theme);
  ImGui::TextWrapped("%s", verdict_words(config, row).c_str());
  ImGui::PopFont();
  ImGui::PopStyleColor();
  draw_legend(context, row, step);
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const int at = view.cell >= 0 && view.cell < static_cast<int>(cells.size()) ? view.cell
                 : begins != nullptr
                     ? static_cast<int>(engine::parity_cell_index(config, begins->layer, begins->tensor))
                     : -1;
  std::string words = at >= 0 ? cell_words(config, cells[static_cast<std::size_t>(at)])
                              : std::string("Click a cell for its worst value; its layer becomes the selected one.");
  if (!step && !row.judged_text) words = "What a bf16 state costs over the text is not judged. " + words;
  const float below = note_height(theme, words, space.x) + 2 * ImGui::GetStyle().ItemSpacing.y;
  draw_grid(context, Grid{cells, config, begins, fresh}, std::max(space.y - below, 80 * theme.scale));
  note(theme, words);
}

}  // namespace

void draw_parity(PanelContext& context) {
  const Theme& theme = context.theme;
  Workspace& workspace = context.workspace;
  const Document& document = workspace.document();
  if (document.replay) {
    draw_empty_state(theme, "Nothing to compare",
                     "Recorded tokens come without weights. Open the model itself to run its backends.");
    return;
  }
  if (document.snapshot->empty()) {
    draw_empty_state(theme, "No token yet", "Step a token: the bench compares what backends leave behind it.");
    return;
  }
  if (!document.parity) {
    draw_controls(context, nullptr);
    if (draw_empty_state(theme, "Backends were not compared yet",
                         "The text up to the shown token is read by every backend of this machine, step by step and "
                         "prefilled, twice each, and by the reference in double precision; then layers and tensors are "
                         "held side by side.",
                         run_label))
      workspace.requests.parity = true;
    return;
  }
  const auto report = document.parity->report();
  draw_controls(context, report.get());
  draw_subject(context, document.parity->question(), *report);
  if (report->error) {
    draw_empty_state(theme, "Backends could not be compared", report->error->message);
    return;
  }
  const int chosen = chosen_row(report->bench, workspace.parity.candidate);
  draw_candidates(context, report->bench, chosen);
  if (chosen < 0) {
    draw_empty_state(theme, "",
                     report->state == State::running ? "The reference reads the text first."
                                                     : "No candidate was measured before the end.");
    return;
  }
  const ParityRow& row = report->bench.rows[static_cast<std::size_t>(chosen)];
  if (row.text.empty()) {
    draw_empty_state(theme, row.outcome == ParityRow::Outcome::failed ? "Failed" : "Not run",
                     verdict_words(document.config(), row));
    return;
  }
  static std::pair<const void*, int> drawn;  // what the grid showed in the last frame
  const std::pair<const void*, int> now(report.get(), chosen);
  draw_measured(context, row, std::exchange(drawn, now) != now);
}

}  // namespace app
