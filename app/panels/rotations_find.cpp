// The search for channel pairs by what they do at the shown token: words or a preset, and a ranked list over all layers
// and heads whose lines select.
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/rotations.h"
#include "app/viewmodel/pair_query.h"
#include "app/viewmodel/shown.h"

#include <fmt/core.h>
#include <imgui_stdlib.h>

#include <algorithm>

namespace app {

namespace {

constexpr std::size_t most_hits = 200;

struct Found {
  ViewKey key;
  std::string words;
  std::optional<engine::PairQuery> query;
  PairFinds finds;
};

void search_box(const Theme& theme, std::string& words, float width) {
  push_small(theme);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(6 * theme.scale, 2 * theme.scale));
  const float button = ImGui::GetFrameHeight();
  ImGui::SetNextItemWidth(std::max(width - button - 2 * theme.scale, 40.0F));
  ImGui::InputTextWithHint("##find", "half a turn, 1/5, 72°, slowest decay …", &words);
  ImGui::SetItemTooltip(
      "What the pair does on this token: a part of a turn in words, as a number of turns, in degrees or "
      "radians; or one of the list.");
  ImGui::SameLine(0, 2 * theme.scale);
  if (ImGui::ArrowButton("##presets", ImGuiDir_Down)) ImGui::OpenPopup("##find-presets");
  ImGui::SetItemTooltip("What can be searched for.");
  if (ImGui::BeginPopup("##find-presets")) {
    for (const PairPreset& preset : pair_presets()) {
      if (ImGui::MenuItem(preset.text)) words = preset.text;
      ImGui::SetItemTooltip("%s", preset.meaning);
    }
    ImGui::EndPopup();
  }
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

void select(PanelContext& context, const engine::PairHit& hit) {
  Selection& selection = context.workspace.selection;
  if (selection.layer != hit.layer) context.workspace.post(engine::command::Watch{hit.layer});
  selection.layer = hit.layer;
  selection.head = hit.head;
  if (hit.pair >= 0) selection.pair = hit.pair;
}

bool is_selected(const Selection& selection, const engine::PairHit& hit) {
  return selection.layer == hit.layer && selection.head == hit.head && (hit.pair < 0 || selection.pair == hit.pair);
}

void list(PanelContext& context, const RotationsData& data, const Found& found) {
  const Theme& theme = context.theme;
  const bool pairs = found.finds.hits.front().pair >= 0;
  push_small(theme);
  const float row_height = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
  const ImVec2 free = ImGui::GetContentRegionAvail();
  const ImVec2 size(free.x, std::max(2.0F, std::floor(free.y / row_height)) * row_height);
  const ImGuiTableFlags flags = ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_ScrollY |
                                ImGuiTableFlags_NoBordersInBody | ImGuiTableFlags_PadOuterX;
  if (ImGui::BeginTable("##hits", pairs ? 4 : 3, flags, size)) {
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("layer", 0, 0.6F);
    ImGui::TableSetupColumn("head", 0, 0.6F);
    if (pairs) ImGui::TableSetupColumn("pair", 0, 0.6F);
    ImGui::TableSetupColumn(pairs ? "value" : "half-life", 0, 1.4F);
    ImGui::PushStyleColor(ImGuiCol_Text, theme.faint);
    ImGui::TableHeadersRow();
    ImGui::PopStyleColor();
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(found.finds.hits.size()));
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
        const engine::PairHit& hit = found.finds.hits[static_cast<std::size_t>(i)];
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        if (ImGui::Selectable(fmt::format("{}##{}", hit.layer, i).c_str(), is_selected(data.selection, hit),
                              ImGuiSelectableFlags_SpanAllColumns)) {
          select(context, hit);
        }
        ImGui::TableNextColumn();
        ImGui::Text("%d", hit.head);
        if (pairs) {
          ImGui::TableNextColumn();
          ImGui::Text("%d", hit.pair);
        }
        ImGui::TableNextColumn();
        push_small_numbers(theme);
        ImGui::TextUnformatted(hit_text(*found.query, hit).c_str());
        ImGui::PopFont();
      }
    }
    ImGui::EndTable();
  }
  ImGui::PopFont();
}

}  // namespace

void draw_pair_search(PanelContext& context, const RotationsData& data, RotationsSettings& settings, ImVec2 size) {
  static Found found;
  const Theme& theme = context.theme;
  const engine::ModelConfig& config = data.snapshot->model->config();
  ImGui::BeginChild("find", size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  search_box(theme, settings.find, ImGui::GetContentRegionAvail().x);
  ViewKey key = data.key;
  key.selection = Selection{};  // the list does not depend on what is selected in it
  key.selection.frame = data.selection.frame;
  if (!(found.key == key) || found.words != settings.find) {
    found.key = key;
    found.words = settings.find;
    found.query = parse_pair_query(settings.find);
    if (found.query) found.query->frame = frame_of(data.selection.frame);
    found.finds = found.query ? find_pairs(*data.snapshot, data.index, *found.query, most_hits) : PairFinds{};
  }
  if (!found.query) {
    note(theme, settings.find.empty()
                    ? "Say what the pair does on this token, or choose from the list."
                    : "Not understood. Try: half a turn, 1/5, 72°, slowest decay, largest change, largest accumulated "
                      "angle.");
  } else if (found.finds.hits.empty()) {
    note(theme, found.finds.layers == 0 ? "Nothing of this token was recorded that tells it."
                                        : "No pair of this model turns.");
  } else {
    const bool all = found.finds.layers == config.n_layer;
    heading(
        theme,
        fmt::format(
            "{} on “{}”, token {}, {}", describe(*found.query), token_text(*data.snapshot, data.index), data.index,
            all ? fmt::format("{} layer{} × {} heads", config.n_layer, config.n_layer == 1 ? "" : "s", config.heads())
                : fmt::format("in {} of {} layers (recorded ones)", found.finds.layers, config.n_layer)));
    list(context, data, found);
  }
  ImGui::EndChild();
  item_menu(context, "##find-menu", [&] {
    Table table{"pairs", {{"layer", {}}, {"head", {}}, {"pair", {}}, {"value", {}}}};
    for (const engine::PairHit& hit : found.finds.hits) {
      table.columns[0].values.push_back(hit.layer);
      table.columns[1].values.push_back(hit.head);
      table.columns[2].values.push_back(hit.pair);
      table.columns[3].values.push_back(hit.value);
    }
    return table;
  });
}

}  // namespace app
