// The discretisation panel: the three rules on the model's own input, and on a signal whose solution is known.
#include "app/panels/discretisation.h"

#include "app/panels/empty_state.h"
#include "app/panels/error_plot.h"
#include "app/panels/laboratory.h"
#include "app/panels/parts.h"
#include "app/viewmodel/lab_words.h"
#include "app/viewmodel/lambda_mark.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"
#include "app/wiring/first_focus.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

constexpr int window_tokens = 128;

void remake(DiscretisationData& data, const engine::Snapshot& snapshot, const Selection& selection, LabSettings& lab) {
  const std::int64_t index = shown_index(snapshot, selection);
  const ViewKey key{&snapshot, snapshot.version, index, selection};
  if (!(key == data.key)) {
    data.key = key;
    data.index = index;
    data.selection = selection;
    data.snapshot = &snapshot;
    data.errors = make_error_series(snapshot, selection, index, window_tokens);
    data.spread = make_error_spread(snapshot, index, selection.frame);
    data.coefficients = make_coefficient_series(snapshot, selection, index, window_tokens);
    data.stability = make_stability_points(snapshot, selection, index);
    data.head = head_values(snapshot, selection, index);
  }
  if (lab.follow_head) follow(lab, data.head);
}

// The laboratory's figures, while its page is open.
void remake_lab(DiscretisationData& data, const LabSettings& lab) {
  if (data.lab.time.empty() || !(data.lab.settings == lab)) data.lab = make_lab_study(lab);
}

// One plot with a heading, in its own cell.
template <class Draw>
void cell(const Theme& theme, const char* id, ImVec2 size, const std::string& title, const char* tip, Draw draw) {
  ImGui::BeginChild(id, size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  heading(theme, title, tip);
  draw(ImGui::GetContentRegionAvail());
  ImGui::EndChild();
}

void own_input_row(PanelContext& context, const DiscretisationData& data, float width, float height, float gap) {
  const float wide = std::floor((width - gap) * 0.62F);
  cell(
      context.theme, "errors", {wide, height},
      fmt::format("error of each rule, layer {} head {}, {} frame", data.selection.layer, data.selection.head,
                  data.selection.frame == Frame::unrotated ? "un-rotated" : "stored"),
      "|rule's input term - E| / |E|, Frobenius norms over the head; E is exact for the linear interpolant of B_t x_t.",
      [&](ImVec2 size) { draw_error_plot(context, "##own-errors", data.errors, data.index, size); });
  ImGui::SameLine(0, gap);
  cell(context.theme, "spread", {width - gap - wide, height},
       fmt::format("all {} heads at token {}", data.spread.heads, data.index),
       "How many heads of all layers have which error at the shown token.",
       [&](ImVec2 size) { draw_error_spread(context, data, size); });
}

void coefficients_row(PanelContext& context, const DiscretisationData& data, float width, float height, float gap) {
  const float half = std::floor((width - gap) / 2);
  const std::string mark = lambda_mark(data.snapshot->model->config());
  cell(context.theme, "lambda", {half, height},
       mark.empty() ? "λ over tokens: 1 is Euler, ½ the trapezoid" : "λ over tokens: fixed by task.json, " + mark,
       mark.empty() ? "The model's own weight of the current token, sigmoid(trap)."
                    : "The weight of the current token that task.json gives; the trained sigmoid(trap) is not used.",
       [&](ImVec2 size) { draw_lambda(context, data, size); });
  ImGui::SameLine(0, gap);
  cell(context.theme, "weights", {width - gap - half, height}, "α, β, γ over tokens",
       "h_t = α h + β (last input) + γ (this input): α = exp(A dt), β = (1 - λ) dt α, γ = λ dt.",
       [&](ImVec2 size) { draw_weights(context, data, size); });
}

void stability_cell(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  cell(context.theme, "stability", size,
       fmt::format("stability: {} of {} pairs outside explicit Euler's disc", data.stability.outside_explicit_euler,
                   data.stability.head_re.size()),
       "Steps of this token in the plane of μdt. The exponential rules (Mamba's Euler, trapezoid and model's λ) never "
       "let the free state grow left of the axis; the explicit Euler of textbooks only inside the disc. A cross: the "
       "step that the test signal is set to, where it is not the head's.",
       [&](ImVec2 rest) { draw_stability(context, data, rest); });
}

void time_cell(PanelContext& context, const LabStudy& lab, ImVec2 size) {
  cell(context.theme, "paths", size,
       fmt::format("u = {}: the rules at dt {:.3g} and the exact state", formula_of(lab.settings.problem), lab.dt),
       "One scalar state h' = (A - iω) h + u(t) from h = 0. The exact solution is known.",
       [&](ImVec2 rest) { draw_paths_in_time(context, lab, rest); });
}
void plane_cell(PanelContext& context, const LabStudy& lab, ImVec2 size) {
  cell(context.theme, "plane", size,
       lab.settings.problem.omega == 0 ? "complex plane: ω = 0, h stays real" : "the same in the complex plane",
       "Im h over Re h, from 0.", [&](ImVec2 rest) { draw_paths_in_plane(context, lab, rest); });
}
void lab_error_cell(PanelContext& context, const LabStudy& lab, LabError which, ImVec2 size) {
  const bool local = which == LabError::local;
  cell(
      context.theme, local ? "local" : "global", size,
      fmt::format("{} error; slopes ± 95 % over dt {:.3g} to {:.3g}; dashed: leading terms", local ? "local" : "global",
                  lab.settings.fit_first, lab.settings.fit_last),
      local
          ? "Local: |one step from the exact state - the exact state|, the largest over 2.5 units of time. Dashed: the "
            "first terms of the error's expansion. The interval says how straight the points lie."
          : "Global: |state - exact state| after any number of steps, the largest over 2.5 units of time. Dashed: the "
            "leading terms of the local errors, accumulated.",
      [&](ImVec2 rest) { draw_lab_errors(context, lab, which, rest); });
}

void paths_row(PanelContext& context, const DiscretisationData& data, float width, float height, float gap,
               bool with_stability) {
  const float plane = std::floor((width - 2 * gap) * (with_stability ? 0.27F : 0.38F));
  const float wide = with_stability ? width - 2 * (gap + plane) : width - gap - plane;
  time_cell(context, data.lab, {wide, height});
  ImGui::SameLine(0, gap);
  plane_cell(context, data.lab, {plane, height});
  if (!with_stability) return;
  ImGui::SameLine(0, gap);
  stability_cell(context, data, {plane, height});
}

void lab_errors_row(PanelContext& context, const LabStudy& lab, float width, float height, float gap) {
  const float half = std::floor((width - gap) / 2);
  lab_error_cell(context, lab, LabError::local, {half, height});
  ImGui::SameLine(0, gap);
  lab_error_cell(context, lab, LabError::global, {width - gap - half, height});
}

// Which pages there are depends on the room: a low panel shows one row of figures at a time.
void page_chips(const Theme& theme, DiscretisationPage& page, bool high, bool tiny) {
  const auto page_chip = [&](const char* label, DiscretisationPage own, const char* tip) {
    ImGui::SameLine(0, 4 * theme.scale);
    if (chip(theme, label, page == own, tip)) page = own;
  };
  using Page = DiscretisationPage;
  ImGui::SameLine(0, 8 * theme.scale);
  page_chip("model's own input", Page::own_input, "Errors and coefficients over the tokens of this context.");
  if (tiny) page_chip("coefficients", Page::coefficients, "λ, α, β and γ over the tokens of this context.");
  page_chip("test signal", Page::signal, "Every rule on an input whose solution is known.");
  if (high) return;
  page_chip("its errors", Page::signal_errors, "Error of every rule against step size, on the test signal.");
  page_chip("stability", Page::stability, "Where the steps lie beside the regions in which a rule stays stable.");
}

std::string caption_of(const DiscretisationData& data, DiscretisationPage page, bool tiny) {
  using Page = DiscretisationPage;
  if (page == Page::own_input) return error_caption(data.errors, data.selection.frame, tiny);
  if (tiny || page == Page::coefficients) return {};
  if (page == Page::stability)
    return "The exponential rules multiply the free state by exp(μdt), below 1 for every A < 0 and any turn; explicit "
           "Euler by 1 + μdt.";
  std::string text = note_of(data.lab.settings.problem);
  if (data.lab.step_turn > 0.3 * pi)
    text += fmt::format(
        " At dt {} the state turns by {} rad in one step: outside the regime in which orders mean anything.",
        number_text(data.lab.settings.dt, 3), number_text(data.lab.step_turn, 3));
  return text;
}

}  // namespace

void draw_discretisation(PanelContext& context) {
  static DiscretisationData data;
  Workspace& workspace = context.workspace;
  DiscretisationPage& page = workspace.discretisation.page;
  LabSettings& lab = workspace.discretisation.lab;
  const Theme& theme = context.theme;
  keep_first_focus(workspace);
  const std::shared_ptr<const engine::Snapshot> snapshot = workspace.document().snapshot;
  if (snapshot->empty()) {
    if (draw_empty_state(theme, "No token yet",
                         "What Euler, the trapezoid and the model's own λ cost is measured on the steps of a context.",
                         "Step")) {
      workspace.post(engine::command::Step{});
    }
    return;
  }
  using Page = DiscretisationPage;
  const float s = theme.scale;
  const float gap = 14 * s, spacing = ImGui::GetStyle().ItemSpacing.y;
  const bool high = ImGui::GetContentRegionAvail().y >= 470 * s;
  // So low that two rows of plots would be slits: each has a page of its own, and one line below it at most.
  const bool tiny = ImGui::GetContentRegionAvail().y < 220 * s;
  frame_chips(context);
  page_chips(theme, page, high, tiny);
  const Page shown = !tiny && page == Page::coefficients                                ? Page::own_input
                     : high && (page == Page::signal_errors || page == Page::stability) ? Page::signal
                                                                                        : page;
  remake(data, *snapshot, workspace.selection, lab);
  if (shown == Page::signal || shown == Page::signal_errors) {
    draw_lab_controls(context, lab, data.head, high);
    if (lab.follow_head) follow(lab, data.head);
    remake_lab(data, lab);
  }

  const ImVec2 space = ImGui::GetContentRegionAvail();
  const std::string caption = caption_of(data, shown, tiny);
  const float left = space.y - (caption.empty() ? 0 : note_height(theme, caption, space.x) + spacing);
  const float row = std::floor((left - 2 * spacing) / 2), all = left - spacing;
  switch (shown) {
    case Page::own_input:
      own_input_row(context, data, space.x, tiny ? all : row, gap);
      if (!tiny) coefficients_row(context, data, space.x, row, gap);
      break;
    case Page::coefficients:
      coefficients_row(context, data, space.x, all, gap);
      break;
    case Page::signal:
      paths_row(context, data, space.x, high ? row : all, gap, high);
      if (high) lab_errors_row(context, data.lab, space.x, row, gap);
      break;
    case Page::signal_errors:
      lab_errors_row(context, data.lab, space.x, all, gap);
      break;
    case Page::stability:
      stability_cell(context, data, {space.x, all});
      break;
  }
  if (!caption.empty()) note(theme, caption);
}

}  // namespace app
