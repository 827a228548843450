// The state-rotations panel: its toolbar, its formula, and the arrangement of its parts for high and low windows.
#include "app/panels/rotations.h"

#include "app/panels/empty_state.h"
#include "app/panels/parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/inspector_numbers.h"
#include "app/viewmodel/shown.h"
#include "app/wiring/first_focus.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

void remake(RotationsData& data, const engine::Snapshot& snapshot, const Selection& selection,
            const RotationsSettings& settings) {
  const std::int64_t index = shown_index(snapshot, selection);
  const ViewKey key{&snapshot, snapshot.version, index, selection, settings.trail + 128 * settings.window};
  if (key == data.key) return;
  data.key = key;
  data.snapshot = &snapshot;
  data.index = index;
  data.selection = selection;
  data.phasors = make_phasors(snapshot, selection, index, settings.trail);
  data.raster = make_phase_raster(snapshot, selection, index, settings.window, false);
  data.memory = make_memory(snapshot, selection, index, settings.window);
  data.matrix = make_state_matrix(snapshot, selection, index);
  data.turns = turns_at(snapshot, index, selection.layer, selection.head, settings.window);
  data.formula = frame_formula(snapshot, selection, index);
}

void toolbar(PanelContext& context, const engine::ModelConfig& config, RotationsSettings& settings) {
  const Theme& theme = context.theme;
  Selection& selection = context.workspace.selection;
  const float s = theme.scale;
  Flow flow(5 * s);
  flow.place(chip_width("un-rotated"));
  if (chip(
          theme, "un-rotated", selection.frame == Frame::unrotated,
          "The complex state of the paper: z = exp(-iθ) (h[p,a] + i h[p,b]). Its phasors turn by -Δθ at each token.")) {
    selection.frame = Frame::unrotated;
  }
  flow.place(chip_width("stored frame"));
  if (chip(theme, "stored frame", selection.frame == Frame::stored,
           "What the implementation keeps: keys were rotated by +θ when written, so stored phasors never turn.")) {
    selection.frame = Frame::stored;
  }
  flow.place(118 * s);
  small_slider(theme, "##row", &selection.row, 0, config.headdim - 1,
               fmt::format("row p = %d of {}", config.headdim).c_str(), 118 * s,
               "The row of the state matrix that the phasors show.");
  flow.place(84 * s);
  small_slider(theme, "##trail", &settings.trail, 1, 64, "trail %d", 84 * s,
               "How many of the last tokens leave a trail.");
  flow.place(104 * s);
  small_slider(theme, "##window", &settings.window, 8, 512, "window %d", 104 * s,
               "How many of the last tokens the phases, the memory and the concentrations are of.");
  flow.place(chip_width("colour: phase"));
  if (chip(theme, settings.colour_by_phase ? "colour: phase" : "colour: pair", false,
           "Colour the phasors by their phase now, or give each pair its own colour.")) {
    settings.colour_by_phase = !settings.colour_by_phase;
  }
  flow.place(chip_width("radius: √|z|"));
  if (chip(theme, settings.root_radius ? "radius: √|z|" : "radius: |z|", settings.root_radius,
           "Distance from the origin: |z|, or its square root, so that small phasors can be seen beside large ones. "
           "Angles "
           "are true either way, and the rings are labelled with |z|.")) {
    settings.root_radius = !settings.root_radius;
  }
  flow.place(chip_width("3D"));
  if (chip(theme, "3D", settings.phasors == PhasorPane::space,
           "The selected pair's way through Re z, Im z and tokens. Drag turns it, the wheel zooms.")) {
    settings.phasors = settings.phasors == PhasorPane::space ? PhasorPane::plane : PhasorPane::space;
  }
  const std::string keys = config.rank() > 1 ? fmt::format("{} keys", config.rank()) : "key";
  flow.place(chip_width(keys.c_str()));
  if (chip(theme, keys.c_str(), settings.keys,
           "The last token's biased key of the selected pair, one for each rank of a MIMO model: what it wrote along, "
           "and "
           "in which directions. Drawn with a scale of its own.")) {
    settings.keys = !settings.keys;
  }
  const std::string pairs = fmt::format("{} pairs, {} turn", config.d_state / 2, config.angles());
  ImGui::SameLine(0, 4 * s);
  if (ImGui::GetContentRegionAvail().x > chip_width(pairs.c_str()) + 8 * s) {
    fact_chip(theme, pairs.c_str(),
              config.is_mimo ? "MIMO pairs channels (i, i + N/2); pairs beyond the rotary fraction are real."
                             : "SISO pairs channels (2i, 2i + 1); pairs beyond the rotary fraction are real.");
  } else {
    ImGui::NewLine();
  }
}

void not_recorded(PanelContext& context, const engine::Snapshot& snapshot, const Selection& selection) {
  const bool watched = snapshot.watched_layer == selection.layer;
  const std::string reason =
      watched ? fmt::format("Layer {} is watched now: its matrix state is recorded from the next token on.",
                            selection.layer)
              : fmt::format("Matrix states of this model are recorded for one layer at a time; layer {} is watched.",
                            snapshot.watched_layer);
  if (draw_empty_state(context.theme, "The state of this layer was not recorded at this token", reason,
                       watched ? "Step" : "Watch this layer")) {
    if (watched) {
      context.workspace.post(engine::command::Step{});
    } else {
      context.workspace.post(engine::command::Watch{selection.layer});
    }
  }
}

void draw_phasor_pane(PanelContext& context, const RotationsData& data, const RotationsSettings& settings,
                      ImVec2 size) {
  if (settings.phasors == PhasorPane::space) {
    draw_pair_space(context, data, size);
  } else {
    draw_phasors(context, data, settings, size);
  }
}

constexpr const char* pane_names[] = {"phases", "turns", "find", "memory", "retention", "state"};

// One of the views beside the phasors; `pane` counts as pane_names do.
void draw_pane(PanelContext& context, const RotationsData& data, RotationsSettings& settings, int pane, ImVec2 size) {
  if (pane == 0) draw_phase_raster(context, data, size);
  if (pane == 1) draw_turn_table(context, data, settings, size);
  if (pane == 2) draw_pair_search(context, data, settings, size);
  if (pane == 3) draw_memory(context, data, size);
  if (pane == 4) draw_retention(context, data, size);
  if (pane == 5) draw_state_matrix(context, data, size);
}

// A chip for each of them from `first` on.
void choose_view(const Theme& theme, int& pane, int first) {
  Flow flow(4 * theme.scale);
  for (int i = first; i < 6; ++i) {
    flow.place(chip_width(pane_names[i]));
    if (chip(theme, pane_names[i], pane == i)) pane = i;
  }
}

// Two chips that choose between two views of one place.
template <class Pane>
void choose_pane(const Theme& theme, Pane& pane, const char* first, const char* second) {
  if (chip(theme, first, pane == static_cast<Pane>(0))) pane = static_cast<Pane>(0);
  ImGui::SameLine(0, 4 * theme.scale);
  if (chip(theme, second, pane == static_cast<Pane>(1))) pane = static_cast<Pane>(1);
}

// Two columns as high as the window: phasors over the state matrix, raster over memory over the table.
void arrange_high(PanelContext& context, const RotationsData& data, RotationsSettings& settings, ImVec2 space) {
  const ImVec2 gap(14 * context.theme.scale, ImGui::GetStyle().ItemSpacing.y);
  const float left = std::floor((space.x - gap.x) * 0.53F), right = space.x - gap.x - left;
  const float matrix = std::floor(std::clamp(space.y * 0.24F, 110 * context.theme.scale, 220 * context.theme.scale));
  ImGui::BeginGroup();
  draw_phasor_pane(context, data, settings, {left, space.y - matrix - gap.y});
  draw_state_matrix(context, data, {left, matrix});
  ImGui::EndGroup();
  ImGui::SameLine(0, gap.x);
  ImGui::BeginGroup();
  const float start = ImGui::GetCursorPosY();
  const float raster = std::floor(space.y * 0.37F);
  draw_phase_raster(context, data, {right, raster});
  choose_pane(context.theme, settings.memory, "memory", "retention");
  const float memory = std::floor((space.y - (ImGui::GetCursorPosY() - start)) * 0.47F);
  if (settings.memory == MemoryPane::envelope) {
    draw_memory(context, data, {right, memory});
  } else {
    draw_retention(context, data, {right, memory});
  }
  choose_pane(context.theme, settings.turns, "turns", "find");
  const ImVec2 rest(right, std::max(space.y - (ImGui::GetCursorPosY() - start), 60 * context.theme.scale));
  if (settings.turns == TurnPane::turns) {
    draw_turn_table(context, data, settings, rest);
  } else {
    draw_pair_search(context, data, settings, rest);
  }
  ImGui::EndGroup();
}

// A low window: phasors beside the raster, and one of the other three below it.
void arrange_low(PanelContext& context, const RotationsData& data, RotationsSettings& settings, ImVec2 space) {
  const Theme& theme = context.theme;
  const float gap = 12 * theme.scale;
  const float left = std::floor(std::clamp(space.y * 1.04F, space.x * 0.36F, space.x * 0.5F));
  const ImVec2 right(space.x - left - gap, space.y);
  ImGui::BeginGroup();
  draw_phasor_pane(context, data, settings, {left, space.y});
  ImGui::EndGroup();
  ImGui::SameLine(0, gap);
  ImGui::BeginGroup();
  const float spacing = ImGui::GetStyle().ItemSpacing.y;
  const float upper = std::floor((right.y - ImGui::GetTextLineHeight() - 2 * spacing) * 0.5F);
  draw_phase_raster(context, data, {right.x, upper});
  choose_view(theme, settings.pane, 1);
  const ImVec2 rest(right.x, std::max(ImGui::GetContentRegionAvail().y, 60 * theme.scale));
  draw_pane(context, data, settings, settings.pane, rest);
  ImGui::EndGroup();
}

// A window so low that even two pictures below each other would be slits: phasors beside one of the others.
void arrange_tiny(PanelContext& context, const RotationsData& data, RotationsSettings& settings, ImVec2 space) {
  const Theme& theme = context.theme;
  const float gap = 12 * theme.scale, left = std::floor(std::clamp(space.y * 1.3F, space.x * 0.3F, space.x * 0.5F));
  ImGui::BeginChild("phasors", {left, space.y}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  draw_phasor_pane(context, data, settings, {left, space.y});
  ImGui::EndChild();
  ImGui::SameLine(0, gap);
  ImGui::BeginGroup();
  choose_view(theme, settings.tiny_pane, 0);
  const ImVec2 rest(space.x - left - gap, std::max(ImGui::GetContentRegionAvail().y, 50 * theme.scale));
  draw_pane(context, data, settings, settings.tiny_pane, rest);
  ImGui::EndGroup();
}

}  // namespace

void draw_rotations(PanelContext& context) {
  static RotationsSettings settings;
  static RotationsData data;
  Workspace& workspace = context.workspace;
  keep_first_focus(workspace);
  const std::shared_ptr<const engine::Snapshot> snapshot = workspace.document().snapshot;
  if (snapshot->empty()) {
    if (draw_empty_state(context.theme, "No token yet",
                         "The complex state starts at zero; its phasors appear with the first step.", "Step")) {
      workspace.post(engine::command::Step{});
    }
    return;
  }
  if (draw_prefilled(context.theme, workspace, *snapshot, shown_index(*snapshot, workspace.selection))) return;
  const engine::ModelConfig& config = snapshot->model->config();
  toolbar(context, config, settings);
  remake(data, *snapshot, workspace.selection, settings);
  const bool tiny = ImGui::GetContentRegionAvail().y < 190 * context.theme.scale;
  if (!tiny)
    formula_well(
        context.theme, data.formula,
        workspace.selection.frame == Frame::unrotated
            ? "The selected pair's complex state at this token. Un-rotated, it turns by -Δθ and shrinks by α; u holds "
              "the biased, un-rotated keys."
            : "The selected pair's stored state at this token. Stored, it only shrinks by α; the keys k carry the "
              "rotation.");
  if (!data.phasors.recorded) {
    if (!draw_without_states(context.theme, workspace, *snapshot, workspace.selection.layer))
      not_recorded(context, *snapshot, workspace.selection);
    return;
  }
  const ImVec2 space = ImGui::GetContentRegionAvail();
  if (tiny) {
    arrange_tiny(context, data, settings, space);
  } else if (space.y >= 400 * context.theme.scale && space.x >= 560 * context.theme.scale) {
    arrange_high(context, data, settings, space);
  } else {
    arrange_low(context, data, settings, space);
  }
}

}  // namespace app
