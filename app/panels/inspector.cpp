// The numbers behind the selection, with their units and the equations that they satisfy.
#include "app/panels/empty_state.h"
#include "app/panels/panels.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/viewmodel/inspector_numbers.h"
#include "app/viewmodel/shown.h"
#include "app/viewmodel/view_key.h"
#include "app/wiring/first_focus.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace app {

namespace {

void draw_rows(const Theme& theme, const InspectorNumbers& numbers) {
  ImGui::PushStyleVar(ImGuiStyleVar_CellPadding, ImVec2(0, 1.5F * theme.scale));
  if (ImGui::BeginTable("##numbers", 3, ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_NoPadOuterX)) {
    const float symbol = 44 * theme.scale;
    ImGui::TableSetupColumn("symbol", ImGuiTableColumnFlags_WidthFixed, symbol);
    ImGui::TableSetupColumn("value", ImGuiTableColumnFlags_WidthFixed, 96 * theme.scale);
    ImGui::TableSetupColumn("note", ImGuiTableColumnFlags_WidthStretch);
    for (const NumberRow& row : numbers.rows) {
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      push_small(theme);
      ImGui::TextColored(theme.secondary, "%s", row.symbol.c_str());
      ImGui::PopFont();
      ImGui::SetItemTooltip("%s", row.meaning.c_str());
      ImGui::TableNextColumn();
      push_small_numbers(theme);
      ImGui::TextColored(theme.text, "%s", row.value.c_str());
      ImGui::PopFont();
      ImGui::SetItemTooltip("%s", row.meaning.c_str());
      ImGui::TableNextColumn();
      push_small(theme);
      const std::string text = shortened(row.note, ImGui::GetContentRegionAvail().x);
      ImGui::TextColored(row.highlight ? theme.value : theme.faint, "%s", text.c_str());
      ImGui::PopFont();
      ImGui::SetItemTooltip(text == row.note ? "%s" : "%s\n%s", row.meaning.c_str(), row.note.c_str());
    }
    ImGui::EndTable();
  }
  ImGui::PopStyleVar();
}

}  // namespace

void draw_inspector(PanelContext& context) {
  static ViewKey key;
  static InspectorNumbers numbers;
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  keep_first_focus(workspace);
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  if (snapshot.empty()) {
    if (draw_empty_state(theme, "No token yet", "The step's numbers appear here: dt, A, α, λ, β, γ and the turn.",
                         "Step")) {
      workspace.post(engine::command::Step{});
    }
    return;
  }
  const std::int64_t index = shown_index(snapshot, workspace.selection);
  const ViewKey now{&snapshot, snapshot.version, index, workspace.selection, 0};
  if (!(now == key)) {
    numbers = make_inspector(snapshot, workspace.selection, index);
    key = now;
  }
  push_small(theme);
  const std::string place = shortened(numbers.place, ImGui::GetContentRegionAvail().x);
  ImGui::TextColored(theme.secondary, "%s", place.c_str());
  ImGui::PopFont();
  if (numbers.rows.empty()) {
    const bool skipped = index >= 0 && snapshot.tokens[static_cast<std::size_t>(index)]->skipped;
    note(theme, skipped ? prefilled_words(*snapshot.tokens[static_cast<std::size_t>(index)])
                        : "The history budget dropped this token's coefficients. Seek to it (G) to have them again.");
    return;
  }
  // Where not everything fits, whole rows are shown and the rest is scrolled to.
  push_small_numbers(theme);
  const float line = ImGui::GetTextLineHeight() + 3 * theme.scale;
  ImGui::PopFont();
  const float free = ImGui::GetContentRegionAvail().y;
  const float needed = line * (static_cast<float>(numbers.rows.size()) + 2.6F);
  const float height = needed > free ? std::max(2.0F, std::floor(free / line)) * line : 0;
  ImGui::BeginChild("##rows", ImVec2(0, height), ImGuiChildFlags_None, ImGuiWindowFlags_None);
  draw_rows(theme, numbers);
  formula_well(theme, numbers.state,
               "The step of this head with its live numbers: alpha = exp(A dt), beta = (1 - lambda) dt alpha, gamma = "
               "lambda dt.");
  ImGui::EndChild();
  item_menu(context, "##inspector-menu", [&] {
    Table table{"inspector", {}};
    for (const NumberRow& row : numbers.rows) {
      table.columns.push_back({row.symbol, {std::strtod(row.value.c_str(), nullptr)}});
    }
    return table;
  });
}

}  // namespace app
