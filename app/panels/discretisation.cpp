// The discretisation panel: the three rules on the model's own input, and on a signal whose solution is known.
#include "app/panels/discretisation.h"

#include "app/panels/empty_state.h"
#include "app/panels/error_plot.h"
#include "app/panels/laboratory.h"
#include "app/panels/parts.h"
#include "app/panels/widgets.h"
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
    data.formulas = make_formula_cards(snapshot, selection, index);
    data.lambdas = make_lambda_spread(snapshot, selection, index, window_tokens);
    data.cost = make_cost_curve(snapshot, selection, index);
    data.convolution = make_convolution_shares(snapshot, selection, index, window_tokens);
  }
  if (lab.follow_head) follow(lab, data.head);
}

// Errors carried over the tokens, while a page shows them: a slice of time in each frame until they are there.
void carry_errors(DiscretisationData& data, Workspace& workspace) {
  constexpr double slice_ms = 6;
  data.carried_complete = data.carried.advance(*data.snapshot, data.selection, data.index, slice_ms);
  if (!data.carried_complete) workspace.requests.redraw = true;
  ViewKey key = data.key;
  key.extra = static_cast<int>(data.carried.version());
  if (key == data.carried_key) return;
  data.carried_key = key;
  data.carried_series = data.carried.series(data.selection.layer, data.selection.head, data.index, window_tokens);
  data.carried_series.fastest_turn = data.errors.fastest_turn;
  data.carried_spread = data.carried.spread(data.index);
}

// The laboratory's figures, while its page is open.
void remake_lab(DiscretisationData& data, const LabSettings& lab) {
  if (!data.lab.time.empty() && data.lab.settings == lab) return;
  data.lab = make_lab_study(lab);
  data.difference = make_lab_difference(data.lab);
}

// One plot with a heading, in its own cell.
template <class Draw>
void cell(const Theme& theme, const char* id, ImVec2 size, const std::string& title, const char* tip, Draw draw) {
  ImGui::BeginChild(id, size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  heading(theme, title, tip);
  draw(ImGui::GetContentRegionAvail());
  ImGui::EndChild();
}

// "local" and "accumulated" in place of a heading's first words.
void error_kind_chips(PanelContext& context) {
  bool& accumulated = context.workspace.discretisation.accumulated;
  const Theme& theme = context.theme;
  if (chip(theme, "local", !accumulated, "The error that each step makes by itself: |rule's input term - E| / |E|."))
    accumulated = false;
  ImGui::SameLine(0, 4 * theme.scale);
  if (chip(theme, "accumulated", accumulated,
           "The steps' errors carried through the recurrence: |rule's state - exact state| / |exact state|, where the "
           "exact state reads the linear interpolant of the same input and A, dt and turn are held over each step."))
    accumulated = true;
  ImGui::SameLine(0, 8 * theme.scale);
}

void own_input_row(PanelContext& context, const DiscretisationData& data, float width, float height, float gap) {
  const float wide = std::floor((width - gap) * 0.62F);
  const bool accumulated = context.workspace.discretisation.accumulated;
  const ErrorKind kind = accumulated ? ErrorKind::accumulated : ErrorKind::local;
  const ErrorSpread& spread = accumulated ? data.carried_spread : data.spread;
  ImGui::BeginChild("errors", {wide, height}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  error_kind_chips(context);
  heading(context.theme,
          fmt::format("error of each rule, layer {} head {}, {} frame", data.selection.layer, data.selection.head,
                      data.selection.frame == Frame::unrotated ? "un-rotated" : "stored"),
          "Frobenius norms over the head; E and the exact state are exact for the linear interpolant of B_t x_t.");
  draw_error_plot(context, accumulated ? "##carried-errors" : "##own-errors",
                  accumulated ? data.carried_series : data.errors, data.index, ImGui::GetContentRegionAvail(), kind);
  ImGui::EndChild();
  ImGui::SameLine(0, gap);
  const bool one_layer = accumulated && !data.carried.whole_model();
  cell(context.theme, "spread", {width - gap - wide, height},
       one_layer ? fmt::format("{} heads of layer {} at token {}", spread.heads, data.selection.layer, data.index)
                 : fmt::format("all {} heads at token {}", spread.heads, data.index),
       one_layer ? "How many heads have which error. The states of all layers' heads are too large to carry here."
                 : "How many heads of all layers have which error at the shown token.",
       [&](ImVec2 size) { draw_error_spread(context, spread, kind, size); });
}

void lambda_row(PanelContext& context, const DiscretisationData& data, float width, float height, float gap) {
  const float left = std::floor((width - gap) * 0.42F);
  const LambdaSpread& spread = data.lambdas;
  cell(context.theme, "lambda-spread", {left, height},
       spread.known() ? fmt::format("λ of {} heads: {} above ½, {} below", spread.heads,
                                    percent_text(spread.above_half), percent_text(spread.below_half))
                      : "λ of all heads",
       "Bars: how the heads of all layers share out at the shown token. Line: the same over the shown tokens.",
       [&](ImVec2 size) { draw_lambda_spread(context, data, size); });
  ImGui::SameLine(0, gap);
  cell(context.theme, "lambda-cost", {width - gap - left, height},
       fmt::format("what another λ would cost, layer {} head {}", data.selection.layer, data.selection.head),
       "Error of the shown step's input term as a function of λ, all else as the model has it. Dashed: one λ kept over "
       "all tokens so far, errors carried through the recurrence. An error under the linear interpolant of the model's "
       "own input, not what the model's output would do.",
       [&](ImVec2 size) { draw_lambda_cost(context, data, size); });
}

ImVec4 share_of_bar(const Theme& /*theme*/, float t) { return sequential_colour(t); }

void convolution_row(PanelContext& context, const DiscretisationData& data, float width, float height, float gap) {
  const Theme& theme = context.theme;
  const float left = std::floor((width - gap) * 0.54F);
  cell(theme, "taps", {left, height}, fmt::format("each step as a width-2 convolution, head {}", data.selection.head),
       "h_t = α h + u_t with u_t = γ B_t x_t + β B_(t-1) x_(t-1): weights of this input (up) and the last (down). "
       "Dashed: what Euler and the trapezoid would weigh with at the same dt.",
       [&](ImVec2 size) { draw_taps(context, data, size); });
  ImGui::SameLine(0, gap);
  cell(theme, "convolution-map", {width - gap - left, height},
       fmt::format("share of the last input, β / (β + γ), layer {}", data.selection.layer),
       "0: this input alone, as Euler. ½: the trapezoid of a state that hardly decays. 1: the last input alone.",
       [&](ImVec2 size) {
         push_small_numbers(theme);
         const float line = ImGui::GetTextLineHeight();
         if (size.y > 7 * line) {
           const float low = ImGui::CalcTextSize("0").x + 5 * theme.scale;
           const ImVec2 at = ImGui::GetCursorScreenPos();
           ImDrawList* list = ImGui::GetWindowDrawList();
           list->AddText(at, packed(theme.secondary), "0");
           list->AddText({at.x + size.x - low, at.y}, packed(theme.secondary), "1");
           colour_bar(list, {at.x + low, at.y + line * 0.25F}, {at.x + size.x - 1.4F * low, at.y + line * 0.75F},
                      share_of_bar, theme);
           ImGui::Dummy({size.x, line});
           size.y = ImGui::GetContentRegionAvail().y;
         }
         ImGui::PopFont();
         draw_convolution_map(context, data, size);
       });
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

// The states over time, or how far they are from the exact one.
void time_cell(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const LabStudy& lab = data.lab;
  DiscretisationPage& page = context.workspace.discretisation.page;
  const bool difference = page == DiscretisationPage::signal_difference;
  ImGui::BeginChild("paths", size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  if (chip(theme, "h", !difference, "The state of each rule and the exact one over time."))
    page = DiscretisationPage::signal;
  ImGui::SameLine(0, 4 * theme.scale);
  if (chip(theme, "rule − exact", difference, "How far each rule's state is from the exact one over time."))
    page = DiscretisationPage::signal_difference;
  ImGui::SameLine(0, 8 * theme.scale);
  heading(theme, fmt::format("u = {}, dt {:.3g}", formula_of(lab.settings.problem), lab.dt),
          "One scalar state h' = (A - iω) h + u(t) from h = 0. The exact solution is known.");
  if (difference)
    draw_differences(context, lab, data.difference, ImGui::GetContentRegionAvail());
  else
    draw_paths_in_time(context, lab, ImGui::GetContentRegionAvail());
  ImGui::EndChild();
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
  time_cell(context, data, {wide, height});
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
  Flow flow(4 * theme.scale);
  flow.place(0);  // the frames' chips stand there already
  const auto page_chip = [&](const char* label, DiscretisationPage own, const char* tip) {
    flow.place(chip_width(label));
    const bool of_signal =
        page == DiscretisationPage::signal_difference ||
        (high && (page == DiscretisationPage::signal_errors || page == DiscretisationPage::stability));
    const bool on = page == own || (own == DiscretisationPage::signal && of_signal);
    if (chip(theme, label, on, tip)) page = own;
  };
  using Page = DiscretisationPage;
  page_chip("model's own input", Page::own_input, "Errors and coefficients over the tokens of this context.");
  if (tiny) page_chip("coefficients", Page::coefficients, "λ, α, β and γ over the tokens of this context.");
  page_chip("λ", Page::lambda,
            "Where the learned λ lies, what another would cost, and the convolution that a step's weights are.");
  if (tiny) page_chip("convolution", Page::convolution, "A step's weights as a width-2 convolution.");
  page_chip("test signal", Page::signal, "Every rule on an input whose solution is known.");
  if (high) {
    page_chip("formulas", Page::formulas, "The recurrence, the rules and their errors with the numbers of this token.");
    page_chip("effect", Page::effect, "What the model does when it runs as Euler or as the trapezoid.");
    return;
  }
  page_chip("its errors", Page::signal_errors, "Error of every rule against step size, on the test signal.");
  page_chip("stability", Page::stability, "Where the steps lie beside the regions in which a rule stays stable.");
  page_chip("formulas", Page::formulas, "The recurrence, the rules and their errors with the numbers of this token.");
  page_chip("effect", Page::effect, "What the model does when it runs as Euler or as the trapezoid.");
}

std::string carried_caption(const DiscretisationData& data, bool brief) {
  if (!data.carried_complete)
    return fmt::format("Carrying errors over the tokens: {} of {}.", data.carried.reached() + 1, data.index + 1);
  const std::string since = data.carried.first() > 0
                                ? fmt::format(
                                      " Earlier records were dropped: carried since token {}, where the exact "
                                      "state is set to the model's own.",
                                      data.carried.first())
                                : "";
  if (brief) return "Relative to the exact state under linear B x between tokens." + since;
  std::string text =
      "Each rule reads the input that the model itself saw; its state's distance from the exact state under the linear "
      "interpolant of B_t x_t, relative to it, after all tokens so far. Errors decay with the state. What another rule "
      "would have made of the model's later inputs is an effect and no part of this." +
      since;
  if (data.selection.frame == Frame::unrotated && data.carried_series.fastest_turn > 0.3 * pi)
    text += fmt::format(" This head turns up to {} rad in one step: outside the regime of orders.",
                        number_text(data.carried_series.fastest_turn, 3));
  return text;
}

std::string lambda_caption(const DiscretisationData& data) {
  if (!data.cost.known() || data.coefficients.token.empty()) return {};
  const LambdaCostCurve& c = data.cost;
  const double gamma = data.coefficients.gamma.back(), beta = data.coefficients.beta.back();
  return fmt::format(
      "Token {}: λ = {} weighs this input by γ = {}, the last by β = {} ({} of both). Relative local error {}; Euler "
      "{}, "
      "trapezoid {}; smallest {} at λ = {}{}. Under the linear interpolant of B_t x_t, {} frame.",
      data.index, number_text(c.own, 3), number_text(gamma, 3), number_text(beta, 3),
      percent_text(beta / (beta + gamma)), number_text(c.cost.at(c.own), 3), number_text(c.cost.at(1), 3),
      number_text(c.cost.at(0.5), 3), number_text(c.cost.at(c.best), 3), number_text(c.best, 3),
      c.best_is_outside ? ", the end of the range" : "",
      data.selection.frame == Frame::unrotated ? "un-rotated" : "stored");
}

std::string caption_of(const DiscretisationData& data, DiscretisationPage page, bool accumulated, bool tiny) {
  using Page = DiscretisationPage;
  if (page == Page::own_input && accumulated) return carried_caption(data, tiny);
  if (page == Page::own_input) return error_caption(data.errors, data.selection.frame, tiny);
  if (tiny || page == Page::coefficients) return {};
  if (page == Page::lambda || page == Page::convolution) return lambda_caption(data);
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
  const bool tiny = ImGui::GetContentRegionAvail().y < 270 * s;
  frame_chips(context);
  page_chips(theme, page, high, tiny);
  const Page shown = !tiny && page == Page::coefficients                                ? Page::own_input
                     : !tiny && page == Page::convolution                               ? Page::lambda
                     : high && (page == Page::signal_errors || page == Page::stability) ? Page::signal
                                                                                        : page;
  remake(data, *snapshot, workspace.selection, lab);
  const bool accumulated = workspace.discretisation.accumulated;
  if ((shown == Page::own_input && accumulated) || shown == Page::lambda) carry_errors(data, workspace);
  if (shown == Page::effect) return draw_effect_page(context, data, tiny);
  if (shown == Page::formulas) return draw_formulas_page(context, data);
  if (shown == Page::signal || shown == Page::signal_difference || shown == Page::signal_errors) {
    draw_lab_controls(context, lab, data.head, high);
    if (lab.follow_head) follow(lab, data.head);
    remake_lab(data, lab);
  }

  const ImVec2 space = ImGui::GetContentRegionAvail();
  const std::string caption = caption_of(data, shown, accumulated, tiny);
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
    case Page::lambda:
      lambda_row(context, data, space.x, tiny ? all : row, gap);
      if (!tiny) convolution_row(context, data, space.x, row, gap);
      break;
    case Page::convolution:
      convolution_row(context, data, space.x, all, gap);
      break;
    case Page::signal:
    case Page::signal_difference:
      paths_row(context, data, space.x, high ? row : all, gap, high);
      if (high) lab_errors_row(context, data.lab, space.x, row, gap);
      break;
    case Page::signal_errors:
      lab_errors_row(context, data.lab, space.x, all, gap);
      break;
    case Page::stability:
      stability_cell(context, data, {space.x, all});
      break;
    case Page::effect:
    case Page::formulas:
      break;  // drawn above
  }
  if (!caption.empty()) note(theme, caption);
}

}  // namespace app
