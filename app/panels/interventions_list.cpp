// The list of interventions: presets, and a row for each with its quantity, operation, value and where it is done.
#include "app/panels/interventions.h"
#include "app/panels/parts.h"
#include "app/panels/value_slider.h"
#include "app/panels/widgets.h"
#include "engine/effect/presets.h"
#include "engine/intervention/no_effect.h"
#include "engine/intervention/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

namespace app {

namespace {

constexpr int quantity_count = static_cast<int>(engine::Quantity::state) + 1;

bool has_ranks(engine::Quantity q) {
  using engine::Quantity;
  return q == Quantity::b_bias || q == Quantity::c_bias || q == Quantity::rank_write || q == Quantity::rank_read;
}

template <class Choose>
void small_combo(const Theme& theme, const char* id, const char* shown, float width, Choose choose) {
  push_small(theme);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(6 * theme.scale, 2 * theme.scale));
  ImGui::SetNextItemWidth(width);
  if (ImGui::BeginCombo(id, shown, ImGuiComboFlags_NoArrowButton)) {
    choose();
    ImGui::EndCombo();
  }
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

// First and last of a range as two sliders. True: it changed.
bool edit_range(const Theme& theme, const char* name, engine::IndexRange& range, std::int64_t count) {
  ImGui::PushID(name);
  const bool open = range.end < 0;
  int first = static_cast<int>(range.first);
  int last = static_cast<int>(open ? count - 1 : range.end - 1);
  const int most = static_cast<int>(std::max<std::int64_t>(count - 1, std::max(first, last)));
  const float width = 110 * theme.scale;
  push_small(theme);
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted(name);
  ImGui::PopFont();
  ImGui::SameLine(60 * theme.scale);
  bool changed = small_slider(theme, "##first", &first, 0, most, "from %d", width, "The first that is changed.");
  ImGui::SameLine(0, 6 * theme.scale);
  const bool moved = small_slider(theme, "##last", &last, 0, most, open ? "to the last" : "to %d", width,
                                  "The last that is changed, included.");
  changed = changed || moved;
  ImGui::SameLine(0, 6 * theme.scale);
  if (changed) {
    if (moved) first = std::min(first, last);
    range.first = first;
    if (!open || moved) range.end = std::max(first, last) + 1;
  }
  if (chip(theme, "all", range == engine::IndexRange{}, "Everywhere.")) {
    range = {};
    changed = true;
  }
  ImGui::PopID();
  return changed;
}

bool edit_scope(const Theme& theme, engine::Intervention& by, const engine::ModelConfig& config, std::int64_t tokens) {
  bool changed = edit_range(theme, "layers", by.layers, config.n_layer);
  changed |= edit_range(theme, "heads", by.heads, config.heads());
  if (has_ranks(by.quantity)) changed |= edit_range(theme, "ranks", by.ranks, config.rank());
  if (by.quantity == engine::Quantity::rotation) changed |= edit_range(theme, "pairs", by.pairs, config.angles());
  if (by.quantity == engine::Quantity::state) {
    changed |=
        small_slider(theme, "##row", &by.row, 0, config.headdim - 1, "row %d", 110 * theme.scale, "Of the state.");
    ImGui::SameLine(0, 6 * theme.scale);
    changed |= small_slider(theme, "##channel", &by.channel, 0, config.d_state - 1, "channel %d", 110 * theme.scale,
                            "Of the state, stored frame.");
  }
  return edit_range(theme, "tokens", by.tokens, std::max<std::int64_t>(tokens, 1)) || changed;
}

// "layers 0-1 tokens 20-": what stands behind the @ of its text.
std::string scope_words(const engine::Intervention& by) {
  const std::string text = engine::format_intervention(by);
  const std::size_t at = text.find('@');
  return at == std::string::npos ? "everywhere" : text.substr(at + 2);
}

std::vector<double> mean_dt(const engine::Snapshot& snapshot) {
  engine::MeanDt mean;
  for (const auto& record : snapshot.tokens) mean.add(record->coefficients);
  return mean.mean();
}

const char* sign_of(engine::Operation operation) {
  constexpr const char* signs[] = {"×", "+", "=", "shuffle"};
  return signs[static_cast<std::size_t>(operation)];
}

// True: `by` was changed by something that goes on while the mouse is held.
bool edit_row(const Theme& theme, engine::Intervention& by, const InterventionData& data) {
  const float s = theme.scale, gap = 4 * s, width = ImGui::GetContentRegionAvail().x;
  const float quantity = std::floor(width * 0.34F), operation = std::floor(52 * s);
  bool held = false;
  small_combo(theme, "##quantity", engine::name_of(by.quantity), quantity, [&] {
    for (int i = 0; i < quantity_count; ++i) {
      const auto candidate = static_cast<engine::Quantity>(i);
      if (candidate == engine::Quantity::rotation && data.model->config().angles() == 0) continue;
      if (!ImGui::Selectable(engine::name_of(candidate), candidate == by.quantity) || candidate == by.quantity)
        continue;
      const bool shuffle = by.operation == engine::Operation::shuffle;
      engine::Intervention next = neutral_intervention(candidate, shuffle ? engine::Operation::scale : by.operation);
      next.layers = by.layers, next.heads = by.heads, next.tokens = by.tokens;
      by = next;
    }
  });
  ImGui::SameLine(0, gap);
  small_combo(theme, "##operation", sign_of(by.operation), operation, [&] {
    const int count = by.quantity == engine::Quantity::rotation ? 4 : 3;
    for (int i = 0; i < count; ++i) {
      const auto candidate = static_cast<engine::Operation>(i);
      if (!ImGui::Selectable(sign_of(candidate), candidate == by.operation) || candidate == by.operation) continue;
      by.value = span_of(by.quantity, candidate).neutral;
      by.operation = candidate;
    }
  });
  ImGui::SetItemTooltip(
      "× scale, + add, = set, or take the turn of another pair (rotation). dt is kept at 0 or above, A at 0 or "
      "below, λ from 0 to 1.");
  ImGui::SameLine(0, gap);
  const ValueSpan span = span_of(by.quantity, by.operation);
  const float rest = ImGui::GetContentRegionAvail().x;
  if (by.operation == engine::Operation::shuffle) {
    int seed = static_cast<int>(by.value);
    if (small_slider(theme, "##value", &seed, 0, 31, "seed %d", rest, "Which shuffle.")) {
      by.value = seed;
      held = true;
    }
  } else {
    held = value_slider(theme, "##value", &by.value, {span.low, span.high, false}, "%.3g", rest, "The value.");
  }
  const std::string words = scope_words(by);
  if (chip(theme, (shortened(words, width - 90 * s) + "###scope").c_str(), words != "everywhere",
           "Which layers, heads, ranks, pairs and tokens."))
    ImGui::OpenPopup("scope");
  if (ImGui::BeginPopup("scope")) {
    held = edit_scope(theme, by, data.model->config(), static_cast<std::int64_t>(data.snapshot->tokens.size())) || held;
    ImGui::EndPopup();
  }
  return held;
}

// An entry that the model cannot have, or that changes nothing, says so below it.
void draw_why_not(const Theme& theme, const engine::Intervention& by, const engine::ModelConfig& config,
                  std::int64_t tokens) {
  const auto possible = engine::check(by, config);
  const std::string why = possible ? engine::why_no_effect(by, config, tokens) : possible.error().message;
  if (why.empty()) return;
  push_small(theme);
  ImGui::PushStyleColor(ImGuiCol_Text, possible ? theme.warning : theme.error);
  ImGui::TextWrapped("%s", possible ? ("No effect: " + why + ".").c_str() : why.c_str());
  ImGui::PopStyleColor();
  ImGui::PopFont();
}

}  // namespace

void draw_intervention_presets(PanelContext& context, InterventionEditing& editing, const InterventionData& data) {
  const Theme& theme = context.theme;
  Flow flow(4 * theme.scale);
  for (const engine::InterventionPreset& preset :
       engine::intervention_presets(data.model->config(), mean_dt(*data.snapshot))) {
    flow.place(chip_width(preset.name.c_str()));
    if (chip(theme, preset.name.c_str(), editing.list == preset.list, preset.what.c_str())) editing.set(preset.list, 0);
  }
}

void draw_intervention_list(PanelContext& context, InterventionEditing& editing, const InterventionData& data,
                            float below) {
  const Theme& theme = context.theme;
  const engine::ModelConfig& config = data.model->config();
  Flow flow(4 * theme.scale);
  flow.place(chip_width("add"));
  if (chip(theme, "add", false, "A change more. They are done together, in order.")) {
    Interventions next = editing.list;
    next.push_back(neutral_intervention(config.angles() > 0 ? engine::Quantity::rotation : engine::Quantity::dt,
                                        engine::Operation::scale));
    editing.set(std::move(next), 0);
  }
  flow.place(chip_width("clear"));
  if (chip(theme, "clear", false, "No changes.")) editing.set({}, 0);
  const auto again = [&](const char* label, const std::string& what, const std::function<void()>& act) {
    ImGui::BeginDisabled(what.empty());
    flow.place(chip_width(label));
    if (chip(theme, label, false, what.c_str())) act();
    ImGui::EndDisabled();
  };
  again("undo", editing.undo, editing.take_back);
  again("redo", editing.redo, editing.do_again);
  static unsigned gesture = 1;
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) ++gesture;  // what follows until the next click is one edit
  const ImVec2 space = ImGui::GetContentRegionAvail();
  ImGui::BeginChild("rows", {space.x, std::max(space.y - below, 40 * theme.scale)});
  std::optional<Interventions> next;
  unsigned held_by = 0;
  for (std::size_t i = 0; i < editing.list.size(); ++i) {
    ImGui::PushID(static_cast<int>(i));
    engine::Intervention by = editing.list[i];
    const bool held = edit_row(theme, by, data);
    if (!(by == editing.list[i])) {
      next = editing.list;
      (*next)[i] = by;
      held_by = held ? gesture : 0;
    }
    ImGui::SameLine(0, 4 * theme.scale);
    if (chip(theme, "copy", false, "The same once more.")) {
      next = editing.list;
      next->insert(next->begin() + static_cast<std::ptrdiff_t>(i) + 1, by);
    }
    ImGui::SameLine(0, 4 * theme.scale);
    if (chip(theme, "remove", false, "Take it off the list.")) {
      next = editing.list;
      next->erase(next->begin() + static_cast<std::ptrdiff_t>(i));
    }
    draw_why_not(theme, by, config, static_cast<std::int64_t>(data.snapshot->tokens.size()));
    ImGui::Spacing();
    ImGui::PopID();
  }
  ImGui::EndChild();
  if (next) editing.set(std::move(*next), held_by);
}

}  // namespace app
