// The whole-state panel: every number of the recurrent state as one picture, layers down and heads across, from the whole
// model to a single cell. Toolbar, zoom, mouse, and what is asked of the session where records hold one layer only.
#include "app/panels/state.h"

#include "app/panels/empty_state.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"
#include "app/wiring/first_focus.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace app {

namespace {

constexpr int tile_rows = 8, tile_columns = 16;  // of a head, where a reduced copy is made
constexpr double margin = 0.012;                 // around the whole picture, of its size

StateView whole(const StateTexture& t) {
  const double x = margin * t.heads, y = margin * t.layers;
  return {-x, t.heads + x, -y, t.layers + y};
}

StateView around(const Selection& selection) {
  constexpr double room = 0.04;
  return {selection.head - room, selection.head + 1 + room, selection.layer - room, selection.layer + 1 + room};
}

// A new model is shown whole. A limit that followed every token would make the colours breathe: it grows with the state,
// and shrinks only when most of the scale is not used.
void remake(StateData& data, const engine::Snapshot& snapshot, const Selection& selection) {
  const ViewKey key{&snapshot, snapshot.version, shown_index(snapshot, selection), Selection{}, 0};
  if (key == data.key) return;
  data.key = key;
  data.snapshot = &snapshot;
  data.texture = make_state_texture(snapshot, selection);
  const auto largest = static_cast<double>(data.texture.largest);
  const bool other = data.model != snapshot.model.get();
  if (other || largest > data.limit || largest < 0.2 * data.limit) data.limit = nice_limit(largest);
  if (!other) return;
  data.model = snapshot.model.get();
  data.wanted = whole(data.texture);
}

// Posts what the picture lacks, each thing once.
void ask(PanelContext& context, const StateData& data) {
  static const engine::Model* model = nullptr;
  static std::size_t tokens = 0;                   // when tiles were asked for last
  static const engine::StateTiles* had = nullptr;  // and what was there; only compared
  static int watched = -1;
  Workspace& workspace = context.workspace;
  const engine::Snapshot& snapshot = *data.snapshot;
  if (model != data.model) {
    model = data.model;
    tokens = 0;
    watched = -1;
  }
  // Blocks that could not be drawn where they lie are asked for again.
  const bool lost = data.texture.tiles != nullptr && data.texture.tiles->on_device != nullptr && !workspace.share_gpu;
  if ((lost || wants_tiles(snapshot, workspace.selection)) &&
      (tokens != snapshot.tokens.size() || had != snapshot.tiles.get())) {
    tokens = snapshot.tokens.size();
    had = snapshot.tiles.get();
    // Where blocks are cells, their numbers are drawn, so that the host wants them.
    const bool coarser = data.texture.headdim > tile_rows && data.texture.d_state > tile_columns;
    const bool shared = coarser && workspace.share_gpu && StateShader::shares_with(snapshot.backend);
    workspace.post(engine::command::Tiles{tile_rows, tile_columns, shared});
  }
  // Looked at closely, the layer in the middle is watched, so that its cells come one by one.
  const bool close =
      state_head_pixels(data).x >= 6.0F * tile_columns && data.view.bottom - data.view.top <= 4 && data.shown.x > 0;
  if (data.texture.tiles == nullptr || !close) {
    watched = -1;
    return;
  }
  const int layer =
      std::clamp(static_cast<int>((data.view.top + data.view.bottom) / 2), 0, std::max(0, data.texture.layers - 1));
  if (layer == snapshot.watched_layer || layer == watched) return;
  watched = layer;
  workspace.post(engine::command::Watch{layer});
}

// Values of blocks that stayed on the GPU, for who reads numbers; the picture of them has been drawn.
void want_values(StateData& data, const StateImage& image) {
  if (data.texture.tiles == nullptr || data.texture.blocks != nullptr) return;
  data.read = image.shader().read_blocks(*data.texture.tiles);
  if (data.read.size() == data.texture.tiles->count) data.texture.blocks = data.read.data();
}

std::string source_text(const StateData& data) {
  const StateTexture& t = data.texture;
  if (t.exact_layers == t.layers) return "all recorded";
  if (t.tiles != nullptr)
    return fmt::format("from a reduced copy of {} × {} blocks a head", t.tiles->rows, t.tiles->columns);
  return fmt::format("{} of {} layers recorded", t.exact_layers, t.layers);
}

std::string source_tip(const StateData& data) {
  const StateTexture& t = data.texture;
  const std::uint64_t bytes = 4 * static_cast<std::uint64_t>(t.cell_count());
  if (t.exact_layers == t.layers)
    return fmt::format(
        "Every cell of this token was recorded: {} numbers, {}. Layers in view go to the GPU when their token changes; "
        "it reduces and colours them.",
        count_text(static_cast<long long>(t.cell_count())), bytes_text(bytes));
  if (t.tiles != nullptr)
    return fmt::format(
        "A reduced copy for each shown frame: the device makes {} × {} blocks of each head, the value of largest "
        "magnitude and the rms of each, {} of {}, and {}. Layer {} is watched: its cells are exact. Zoom into a "
        "head and its layer is watched instead.",
        t.tiles->rows, t.tiles->columns, bytes_text(t.tiles->bytes()), bytes_text(bytes),
        t.tiles->on_device ? "draws them itself (CUDA to OpenGL): they do not pass through the host"
                           : "they are copied to the host and from there to the picture",
        data.snapshot->watched_layer);
  return fmt::format("{} of {} layers of this token were recorded. The newest token is known whole.", t.exact_layers,
                     t.layers);
}

void toolbar(PanelContext& context, StateData& data, StateSettings& settings) {
  const Theme& theme = context.theme;
  Flow flow(5 * theme.scale);
  const auto choose = [&](const char* label, StateQuantity quantity, const char* tip) {
    flow.place(chip_width(label));
    if (chip(theme, label, settings.quantity == quantity, tip)) settings.quantity = quantity;
  };
  choose("± largest", StateQuantity::signed_largest,
         "Of the cells under a pixel the value of largest magnitude, with its sign: blue below zero, orange above.");
  choose("largest |h|", StateQuantity::largest, "The largest magnitude of the cells under a pixel.");
  choose("rms", StateQuantity::rms, "The root of the mean square of the cells under a pixel.");
  flow.place(chip_width("linear"));
  if (chip(theme, "linear", !settings.logarithmic, "Colours in proportion to the value.")) settings.logarithmic = false;
  flow.place(chip_width("log"));
  if (chip(theme, "log", settings.logarithmic,
           "Symmetric logarithm: equal ratios have equal steps of colour, down to a thousandth of the limit.")) {
    settings.logarithmic = true;
  }
  flow.place(chip_width("whole model"));
  if (chip(theme, "whole model", data.view == whole(data.texture),
           "Shows all layers and heads. Double click does it too."))
    data.wanted = whole(data.texture);
  flow.place(chip_width("selected head"));
  if (chip(theme, "selected head", data.view == around(context.workspace.selection),
           "Zooms to the selected layer and head."))
    data.wanted = around(context.workspace.selection);
}

// Labels of the axes: heads and layers, or channels and rows where cells are large.
struct Ticks {
  std::vector<double> at;
  std::vector<std::string> text;
};

int nice_step(double least) {
  int step = 1;
  for (int i = 0; step < least; ++i) step = i % 3 == 1 ? step / 2 * 5 : step * 2;
  return step;
}

Ticks make_ticks(double low, double high, float pixels, int parts, int cells, float room, bool& inside) {
  Ticks ticks;
  const double part = pixels / std::max(high - low, 1e-9), cell = part / cells;
  inside = high - low < 2.2 && part > 8 * static_cast<double>(room);
  if (inside) {
    const int step = nice_step(static_cast<double>(room) / cell);
    const int first = std::max(0, static_cast<int>(std::floor(low))),
              last = std::min(parts - 1, static_cast<int>(high));
    for (int head = first; head <= last; ++head) {
      for (int i = 0; i < cells; i += step) {
        ticks.at.push_back(head + (i + 0.5) / cells);
        ticks.text.push_back(std::to_string(i));
      }
    }
    return ticks;
  }
  const int step = nice_step(static_cast<double>(room) / part);
  for (int i = 0; i < parts; i += step) {
    ticks.at.push_back(i + 0.5);
    ticks.text.push_back(std::to_string(i));
  }
  return ticks;
}

void set_ticks(ImAxis axis, const Ticks& ticks) {
  std::vector<const char*> labels;
  labels.reserve(ticks.text.size());
  for (const std::string& text : ticks.text) labels.push_back(text.c_str());
  if (!ticks.at.empty())
    ImPlot::SetupAxisTicks(axis, ticks.at.data(), static_cast<int>(ticks.at.size()), labels.data());
}

void tooltip_of(const StateData& data, const StatePlace& place) {
  const engine::ModelConfig& config = data.snapshot->model->config();
  const int pair = config.is_mimo ? place.channel % (config.d_state / 2) : place.channel / 2;
  const char* part = pair >= config.angles()                    ? "never turns"
                     : place.channel == config.pair_first(pair) ? "first of its pair"
                                                                : "second of its pair";
  ImGui::BeginTooltip();
  ImGui::Text("layer %d, head %d, after token %lld “%s”", place.layer, place.head,
              static_cast<long long>(data.texture.token), token_text(*data.snapshot, data.texture.token).c_str());
  if (!place.known) {
    ImGui::TextUnformatted("not recorded at this token");
  } else if (place.exact) {
    ImGui::Text("row p %d, channel n %d (pair %d, %s)", place.row, place.channel, pair, part);
    ImGui::Text("h = %s", number_text(static_cast<double>(place.value)).c_str());
  } else {
    ImGui::Text("rows p %d to %d, channels n %d to %d", place.row_begin, place.row_end - 1, place.channel_begin,
                place.channel_end - 1);
    ImGui::Text("largest h = %s, rms %s", number_text(static_cast<double>(place.value)).c_str(),
                number_text(static_cast<double>(place.rms)).c_str());
  }
  const engine::StepCoefficients& step =
      data.snapshot->tokens[static_cast<std::size_t>(data.texture.token)]->coefficients;
  ImGui::TextDisabled("head: ‖H‖ %s, ‖ΔH‖ %s, α %s",
                      number_text(per_head(config, step.state_norm, place.layer, place.head)).c_str(),
                      number_text(per_head(config, step.state_change, place.layer, place.head)).c_str(),
                      number_text(per_head(config, step.alpha, place.layer, place.head)).c_str());
  ImGui::EndTooltip();
}

void mouse(PanelContext& context, StateData& data, const StateImage& image) {
  if (!ImPlot::IsPlotHovered()) return;
  if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) {
    data.wanted = whole(data.texture);
    return;
  }
  const ImPlotPoint at = ImPlot::GetPlotMousePos();
  want_values(data, image);
  StatePlace place;
  if (!state_place(data.texture, at.x, at.y, place)) return;
  tooltip_of(data, place);
  if (!ImGui::IsMouseReleased(ImGuiMouseButton_Left) || ImGui::GetMouseDragDelta().x != 0 ||
      ImGui::GetMouseDragDelta().y != 0)
    return;
  Workspace& workspace = context.workspace;
  Selection& selection = workspace.selection;
  if (selection.layer != place.layer) workspace.post(engine::command::Watch{place.layer});
  selection.layer = place.layer;
  selection.head = place.head;
  // Finer than a hand can aim, row and channel stay what they were.
  const ImVec2 head = state_head_pixels(data);
  const engine::ModelConfig& config = data.snapshot->model->config();
  if (head.x >= 3.0F * static_cast<float>(config.d_state))
    selection.pair = config.is_mimo ? place.channel % (config.d_state / 2) : place.channel / 2;
  if (head.y >= 3.0F * static_cast<float>(config.headdim)) selection.row = place.row;
}

void draw_picture(PanelContext& context, StateData& data, StateImage& image, const StateSettings& settings,
                  ImVec2 size) {
  const Theme& theme = context.theme;
  const StateTexture& t = data.texture;
  const float small = small_size(theme);
  bool channels = false, rows = false;
  const Ticks across = make_ticks(data.view.left, data.view.right, size.x, t.heads, t.d_state, 2.6F * small, channels);
  const Ticks down = make_ticks(data.view.top, data.view.bottom, size.y, t.layers, t.headdim, 1.5F * small, rows);
  if (!begin_plot(context, "##state", size, channels ? "channel n" : "head", rows ? "row p" : "layer",
                  ImPlotFlags_NoLegend | ImPlotFlags_NoBoxSelect,
                  ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks,
                  ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_NoTickMarks | ImPlotAxisFlags_Invert)) {
    return;
  }
  const StateView all = whole(t);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, all.left, all.right);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_Y1, all.top, all.bottom);
  ImPlot::SetupAxisZoomConstraints(ImAxis_X1, 3.0 / t.d_state, all.right - all.left);
  ImPlot::SetupAxisZoomConstraints(ImAxis_Y1, 3.0 / t.headdim, all.bottom - all.top);
  if (data.wanted) {
    ImPlot::SetupAxesLimits(data.wanted->left, data.wanted->right, data.wanted->top, data.wanted->bottom,
                            ImPlotCond_Always);
    data.wanted.reset();
    context.workspace.requests.redraw = true;  // labels follow the view a frame later
  } else {
    ImPlot::SetupAxesLimits(all.left, all.right, all.top, all.bottom, ImPlotCond_Once);
  }
  set_ticks(ImAxis_X1, across);
  set_ticks(ImAxis_Y1, down);
  ImPlot::SetupFinish();
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const StateView before = data.view;
  data.view = {limits.X.Min, limits.X.Max, limits.Y.Min, limits.Y.Max};
  if (!(before == data.view)) context.workspace.requests.redraw = true;
  data.shown = ImPlot::GetPlotSize();
  const int width = std::clamp(static_cast<int>(std::lround(data.shown.x)), 1, 8192);
  const int height = std::clamp(static_cast<int>(std::lround(data.shown.y)), 1, 8192);
  if (const auto drawn = image.update(theme, data, settings, width, height); !drawn) {
    context.workspace.share_gpu = false;  // through the host, then
    context.workspace.notice = drawn.error().message;
  }
  image.plot();
  ImPlot::PushPlotClipRect();
  draw_state_marks(theme, data, settings, context.workspace.selection);
  ImPlot::PopPlotClipRect();
  mouse(context, data, image);
  end_plot(context, [&] {
    want_values(data, image);
    return state_table(t, data.view);
  });
}

}  // namespace

void draw_state(PanelContext& context) {
  static StateSettings settings;
  static StateData data;
  static StateImage image;
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  keep_first_focus(workspace);
  const std::shared_ptr<const engine::Snapshot> snapshot = workspace.document().snapshot;
  const engine::ModelConfig& config = snapshot->model->config();
  if (snapshot->empty()) {
    if (draw_empty_state(
            theme, "No token yet",
            fmt::format("The state of {} layer{} × {} heads × {} × {} cells is zero; it appears with the "
                        "first step.",
                        config.n_layer, config.n_layer == 1 ? "" : "s", config.heads(), config.headdim, config.d_state),
            "Step")) {
      workspace.post(engine::command::Step{});
    }
    return;
  }
  if (draw_prefilled(theme, workspace, *snapshot, shown_index(*snapshot, workspace.selection))) return;
  remake(data, *snapshot, workspace.selection);
  if (data.texture.empty() && draw_without_states(theme, workspace, *snapshot, -1)) return;
  ask(context, data);
  if (data.texture.empty() && wants_tiles(*snapshot, workspace.selection)) {
    draw_empty_state(theme, "Reading the whole state", "It comes with the session's next step.");
    return;
  }
  if (data.texture.empty()) {
    if (draw_empty_state(theme, "The state of this token was not recorded", "The newest token's state is known whole.",
                         "Show the newest token")) {
      workspace.selection.token = -1;
    }
    return;
  }
  toolbar(context, data, settings);
  const float below = ImGui::GetTextLineHeight() + ImGui::GetStyle().ItemSpacing.y;
  const StateTexture& t = data.texture;
  const std::string tip =
      source_tip(data) +
      "\nLayers down, heads across; in each head rows p down and channels n across. The wheel zooms, "
      "over an axis that axis alone; drag pans, double click shows all, a click selects.";
  heading(theme,
          fmt::format("whole state after token {} “{}”: {} layer{} × {} heads × {} × {} = {} numbers, {}{}", t.token,
                      token_text(*snapshot, t.token), t.layers, t.layers == 1 ? "" : "s", t.heads, t.headdim, t.d_state,
                      count_text(static_cast<long long>(t.cell_count())), source_text(data),
                      t.not_finite ? "; some not finite (red)" : ""),
          tip.c_str());
  const ImVec2 space = ImGui::GetContentRegionAvail();
  draw_picture(context, data, image, settings, {space.x, std::max(space.y - below, 40 * theme.scale)});
  draw_state_legend(theme, data, settings);
}

}  // namespace app
