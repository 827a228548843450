// The discretisation panel: the three rules on the model's own input, and on a signal whose solution is known.
#include "app/panels/discretisation.h"

#include "app/panels/empty_state.h"
#include "app/panels/error_plot.h"
#include "app/panels/parts.h"
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

void remake(DiscretisationData& data, const engine::Snapshot& snapshot, const Selection& selection, int rate_tenths) {
  const std::int64_t index = shown_index(snapshot, selection);
  const ViewKey key{&snapshot, snapshot.version, index, selection, rate_tenths};
  if (key == data.key) return;
  data.key = key;
  data.index = index;
  data.selection = selection;
  data.snapshot = &snapshot;
  data.rate = rate_tenths / 10.0;
  data.errors = make_error_series(snapshot, selection, index, window_tokens);
  data.spread = make_error_spread(snapshot, index, selection.frame);
  data.coefficients = make_coefficient_series(snapshot, selection, index, window_tokens);
  data.stability = make_stability_points(snapshot, selection, index);
  data.study = make_signal_study(snapshot, selection, index, data.rate);
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
       "let the free "
       "state grow left of the axis; the explicit Euler of textbooks only inside the disc.",
       [&](ImVec2 rest) { draw_stability(context, data, rest); });
}

void signal_row(PanelContext& context, const DiscretisationData& data, float width, float height, float gap) {
  const float half = std::floor((width - gap) / 2);
  const SignalStudy& study = data.study;
  const std::string values = study.known ? fmt::format("A {}, ω {}, dt {}", number_text(study.a, 3),
                                                       number_text(study.omega, 3), number_text(study.dt, 3))
                                         : std::string("not known");
  cell(context.theme, "path", {half, height},
       fmt::format("test signal sin({} t) with {}", number_text(data.rate, 2), values),
       "One scalar state h' = (A - iω) h + sin(rate t) from h = 0, stepped with the head's dt; the exact solution in "
       "closed form.",
       [&](ImVec2 size) { draw_trajectories(context, data, size); });
  ImGui::SameLine(0, gap);
  cell(context.theme, "convergence", {width - gap - half, height}, "largest error of one step against step size",
       "On the test signal, with A constant: only then is the trapezoid of second order (local slope 3).",
       [&](ImVec2 size) { draw_convergence(context, data, size); });
}

}  // namespace

void draw_discretisation(PanelContext& context) {
  static DiscretisationData data;
  static int page = 0, rate_tenths = 20;
  Workspace& workspace = context.workspace;
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
  const float s = theme.scale;
  frame_chips(context);
  const float gap = 14 * s, spacing = ImGui::GetStyle().ItemSpacing.y;
  const bool high = ImGui::GetContentRegionAvail().y >= 470 * s;
  // So low that two rows of plots would be slits: each has a page of its own, and one line below it at most.
  const bool tiny = ImGui::GetContentRegionAvail().y < 220 * s;
  if (!tiny && page == 3) page = 0;
  if (!high) {
    ImGui::SameLine(0, 12 * s);
    if (chip(theme, "model's own input", page == 0, "Errors and coefficients over the tokens of this context."))
      page = 0;
    ImGui::SameLine(0, 4 * s);
    if (tiny) {
      if (chip(theme, "coefficients", page == 3, "λ, α, β and γ over the tokens of this context.")) page = 3;
      ImGui::SameLine(0, 4 * s);
    }
    if (chip(theme, "test signal", page == 1, "The same rules on an input whose solution is known.")) page = 1;
    ImGui::SameLine(0, 4 * s);
    if (chip(theme, "stability", page == 2,
             "Where the steps lie beside the region in which explicit Euler stays stable.")) {
      page = 2;
    }
  }
  if (high || page == 1) {
    ImGui::SameLine(0, 12 * s);
    small_slider(theme, "##rate", &rate_tenths, 1, 80, fmt::format("signal rate {:.1f}", rate_tenths / 10.0).c_str(),
                 120 * s, "Radians per unit of time of the test sine.");
  }
  remake(data, *snapshot, workspace.selection, rate_tenths);

  const ImVec2 space = ImGui::GetContentRegionAvail();
  const std::string caption =
      tiny && page == 0   ? error_caption(data.errors, data.selection.frame, true)
      : tiny              ? std::string()
      : high || page == 0 ? error_caption(data.errors, data.selection.frame, false)
      : page == 1         ? std::string(
                                "A known solution: one scalar state with constant A and ω, driven by a sine. Second order "
                                        "holds for constant A only.")
                  : std::string(
                        "The exponential rules multiply the free state by exp(μdt), below 1 for every A < 0 and any "
                        "turn; explicit Euler by 1 + μdt.");
  const float left = space.y - (caption.empty() ? 0 : note_height(theme, caption, space.x) + spacing);
  if (high) {
    const float row = std::floor((left - 3 * spacing) / 3);
    own_input_row(context, data, space.x, row + 10 * s, gap);
    // The plane is the one square picture: it takes the height of two rows.
    const float plane = std::floor(space.x * 0.30F), rest = space.x - plane - gap;
    ImGui::BeginGroup();
    coefficients_row(context, data, rest, row - 20 * s, gap);
    signal_row(context, data, rest, row + 10 * s, gap);
    ImGui::EndGroup();
    ImGui::SameLine(0, gap);
    stability_cell(context, data, {plane, 2 * row - 10 * s + spacing});
  } else if (tiny && page == 0) {
    own_input_row(context, data, space.x, left - spacing, gap);
  } else if (tiny && page == 3) {
    coefficients_row(context, data, space.x, left - spacing, gap);
  } else if (page == 0) {
    const float row = std::floor((left - 2 * spacing) / 2);
    own_input_row(context, data, space.x, row, gap);
    coefficients_row(context, data, space.x, row, gap);
  } else if (page == 1) {
    signal_row(context, data, space.x, left - spacing, gap);
  } else {
    stability_cell(context, data, {space.x, left - spacing});
  }
  if (!caption.empty()) note(theme, caption);
}

}  // namespace app
