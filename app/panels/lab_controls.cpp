// What the user sets of a test signal: the input, the state, the rules, the range of the fit.
#include "app/panels/error_plot.h"
#include "app/panels/laboratory.h"
#include "app/panels/parts.h"
#include "app/panels/value_slider.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/lab_words.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

using engine::RuleKind;
using engine::Signal;

// A list that opens, in the small size of chips.
template <class Items>
void small_combo(const Theme& theme, const char* id, const std::string& shown, float width, const char* tip,
                 Items items) {
  push_small(theme);
  const ImVec2 usual = ImGui::GetStyle().FramePadding;
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding,
                      ImVec2(std::floor(usual.x * 0.85F), std::max(1.0F, std::floor(usual.y * 0.4F))));
  ImGui::SetNextItemWidth(width);
  const bool open = ImGui::BeginCombo(id, shown.c_str(), ImGuiComboFlags_HeightLargest);
  if (!open) ImGui::SetItemTooltip("%s", tip);
  if (open) {
    items();
    ImGui::EndCombo();
  }
  ImGui::PopStyleVar();
  ImGui::PopFont();
}

void signal_controls(const Theme& theme, engine::SignalProblem& problem, Flow& flow, float wide) {
  const float s = theme.scale;
  flow.place(128 * s);
  small_combo(theme, "##signal", fmt::format("u = {}", engine::name_of(problem.signal)), 128 * s,
              "The declared input: its exact solution is known.", [&] {
                for (const Signal signal : engine::all_signals) {
                  engine::SignalProblem other = problem;
                  other.signal = signal;
                  const std::string label =
                      fmt::format("{}   {}###{}", engine::name_of(signal), formula_of(other), engine::name_of(signal));
                  if (!ImGui::Selectable(label.c_str(), signal == problem.signal)) continue;
                  problem.signal = signal;
                  // An input that grows soon leaves every plot.
                  if (signal == Signal::exponential) problem.rate = std::min(problem.rate, 1.0);
                }
              });
  const bool has_rate =
      problem.signal == Signal::sine || problem.signal == Signal::chirp || problem.signal == Signal::exponential;
  if (has_rate) {
    flow.place(wide);
    const bool grows = problem.signal == Signal::exponential;
    value_slider(theme, "##rate", &problem.rate, grows ? SliderRange{-4, 1, false} : SliderRange{0.1, 20, true},
                 "rate %.3g", wide, grows ? "u = exp(rate t)." : "Radians per unit of time, of the input at t = 0.");
  }
  if (problem.signal == Signal::chirp) {
    flow.place(wide);
    value_slider(theme, "##sweep", &problem.sweep, {-4, 8, false}, "sweep %.3g", wide,
                 "How fast the chirp's rate grows, radians per unit of time squared.");
  }
  if (problem.signal == Signal::step) {
    flow.place(wide);
    value_slider(theme, "##jump", &problem.jump, {0.01, 2.4, false}, "jump at %.3g", wide,
                 "Time at which the input goes from 0 to 1.");
  }
}

void state_controls(const Theme& theme, LabSettings& settings, const HeadValues& head, Flow& flow, float wide) {
  flow.place(chip_width("this head's values"));
  ImGui::BeginDisabled(!head.known);
  if (chip(theme, "this head's values", settings.follow_head && head.known,
           "Decay, rotation, step and λ of the selected head and pair at the shown token, in the chosen frame; they "
           "follow the selection until a slider is moved."))
    settings.follow_head = true;
  ImGui::EndDisabled();
  double decay = -settings.problem.a;
  const auto slider = [&](const char* id, double* value, SliderRange range, const char* format, const char* tip) {
    flow.place(wide);
    if (!value_slider(theme, id, value, range, format, wide, tip)) return;
    settings.follow_head = false;
    settings.problem.a = -decay;
  };
  slider("##decay", &decay, {1e-3, 30, true}, "decay %.3g", "-A, per unit of time.");
  slider("##omega", &settings.problem.omega, {-20, 20, false}, "ω %.3g",
         "Rotation in radians per unit of time: μ = A - iω. 0 in the stored frame.");
  slider("##dt", &settings.dt, {1e-3, 3, true}, "dt %.3g", "Step of the trajectories, in units of time.");
  slider("##lambda", &settings.lambda, {0, 1, false}, "λ %.3g",
         "Weight of the generalised trapezoid: 1 is Euler, ½ the classical trapezoid.");
}

void varying_controls(const Theme& theme, engine::SignalProblem& problem, Flow& flow, float wide) {
  flow.place(chip_width("time-varying A"));
  if (chip(theme, "time-varying A", problem.varies(),
           "A(t) = A (1 + s sin(r t)). Mamba holds the value of A at the end of a step over it: exp(A dt) is then "
           "wrong by about A' dt²/2, and second order is lost."))
    problem.swing = problem.varies() ? 0 : 0.8;
  if (!problem.varies()) return;
  const float narrow = std::floor(0.6F * wide);
  flow.place(narrow);
  value_slider(theme, "##swing", &problem.swing, {0.05, 1, false}, "s %.2f", narrow, "How far A swings: A (1 ± s).");
  flow.place(narrow);
  value_slider(theme, "##swing-rate", &problem.swing_rate, {0.1, 10, true}, "r %.3g", narrow,
               "Radians per unit of time by which A swings.");
  flow.place(chip_width("held at the end"));
  if (chip(theme, "held at the end", problem.hold == engine::Hold::end,
           "As Mamba does: A of the step's end. No rule is above global order 1."))
    problem.hold = engine::Hold::end;
  flow.place(chip_width("in the middle"));
  if (chip(theme, "in the middle", problem.hold == engine::Hold::middle,
           "A of the step's middle: exp(A dt) is wrong by dt³ only, and second order returns."))
    problem.hold = engine::Hold::middle;
}

void rule_controls(const Theme& theme, LabSettings& settings, Flow& flow, bool roomy) {
  if (!roomy) {
    const auto shown = std::count(settings.shown.begin(), settings.shown.end(), true);
    flow.place(112 * theme.scale);
    small_combo(theme, "##rules", fmt::format("{} of {} rules", shown, engine::rule_count), 112 * theme.scale,
                "Which rules are drawn.", [&] {
                  for (const engine::TwoPointRule& rule : engine::two_point_rules())
                    ImGui::Checkbox(rule.name, &settings.shown[static_cast<std::size_t>(rule.kind)]);
                });
    return;
  }
  for (const engine::TwoPointRule& rule : engine::two_point_rules()) {
    bool& on = settings.shown[static_cast<std::size_t>(rule.kind)];
    flow.place(chip_width(rule.name));
    const std::string tip = fmt::format("α, β, γ = {}, with x = μ dt. Orders {} (local) and {} (global).", rule.formula,
                                        rule.orders.local, rule.orders.global);
    if (chip(theme, rule.name, on, tip.c_str())) on = !on;
    if (!on) continue;
    const ImVec2 low = ImGui::GetItemRectMin(), high = ImGui::GetItemRectMax();
    ImGui::GetWindowDrawList()->AddRectFilled({low.x + 4 * theme.scale, high.y - 2.5F * theme.scale},
                                              {high.x - 4 * theme.scale, high.y - 1 * theme.scale},
                                              packed(rule_colour(theme, rule.kind)));
  }
}

}  // namespace

ImVec4 rule_colour(const Theme& theme, RuleKind kind) {
  switch (kind) {
    case RuleKind::exponential_euler:
      return theme.euler;
    case RuleKind::exponential_trapezoid:
      return theme.trapezoid;
    case RuleKind::generalised_trapezoid:
      return theme.model_lambda;
    case RuleKind::zero_order_hold:
      return series_colour(theme, 0);
    case RuleKind::first_order_hold:
      return series_colour(theme, 1);
    case RuleKind::forward_euler:
      return series_colour(theme, 2);
    case RuleKind::backward_euler:
      return series_colour(theme, 3);
    case RuleKind::bilinear:
      return series_colour(theme, 5);
  }
  return theme.text;
}

ImPlotMarker rule_marker(RuleKind kind) {
  constexpr ImPlotMarker markers[] = {ImPlotMarker_Circle, ImPlotMarker_Square, ImPlotMarker_Diamond,
                                      ImPlotMarker_Up,     ImPlotMarker_Down,   ImPlotMarker_Left,
                                      ImPlotMarker_Right,  ImPlotMarker_Cross};
  return markers[static_cast<std::size_t>(kind)];
}

std::string rule_label(const PanelContext& context, const LabSettings& settings, RuleKind kind) {
  if (kind != RuleKind::generalised_trapezoid) return short_name(kind);
  const std::string value = fmt::format("{:.3g}", settings.lambda);
  if (!settings.follow_head) return "λ = " + value;
  const std::string own = name_of_model_rule(context);
  // Where the model's lambda is fixed, the name tells its value.
  return own == rule_names[2] ? own + " " + value : own;
}

void draw_lab_controls(PanelContext& context, LabSettings& settings, const HeadValues& head, bool roomy) {
  const Theme& theme = context.theme;
  const float wide = (roomy ? 112 : 84) * theme.scale;
  Flow state(5 * theme.scale);
  signal_controls(theme, settings.problem, state, wide);
  state_controls(theme, settings, head, state, wide);
  if (!roomy) rule_controls(theme, settings, state, false);
  varying_controls(theme, settings.problem, state, wide);
  if (!roomy) return;
  Flow rules(5 * theme.scale);
  rule_controls(theme, settings, rules, true);
  rules.place(wide);
  value_slider(theme, "##fit-first", &settings.fit_first, {1e-3, 1, true}, "fit from %.2g", wide,
               "Smallest step size that the slopes are fitted over.");
  rules.place(wide);
  value_slider(theme, "##fit-last", &settings.fit_last, {1e-3, 1, true}, "to %.2g", wide,
               "Largest step size that the slopes are fitted over: orders are a limit of small steps.");
}

}  // namespace app
