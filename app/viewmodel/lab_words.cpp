#include "app/viewmodel/lab_words.h"

#include <fmt/core.h>

#include <cmath>

namespace app {

std::string formula_of(const engine::SignalProblem& problem) {
  const auto number = [](double value) { return fmt::format("{:.3g}", value); };
  const auto times = [&](double value) { return value == 1 ? std::string() : number(value) + " "; };
  const std::string rate = times(problem.rate);
  switch (problem.signal) {
    case engine::Signal::constant:
      return "1";
    case engine::Signal::linear:
      return "t";
    case engine::Signal::sine:
      return fmt::format("sin({}t)", rate);
    case engine::Signal::chirp:
      return fmt::format("sin({}t + {}t²)", rate, times(problem.sweep / 2));
    case engine::Signal::exponential:
      return fmt::format("exp({}t)", rate);
    case engine::Signal::step:
      return fmt::format("0, then 1 from t = {}", number(problem.jump));
  }
  return "";
}

std::string note_of(const engine::SignalProblem& problem) {
  std::string text = "Errors against the exact solution of this declared input.";
  if (!problem.smooth()) text += " The input jumps: in the step that holds the jump no rule has its order.";
  if (!problem.varies()) {
    text += " Second order holds for constant A only.";
  } else if (problem.hold == engine::Hold::end) {
    text +=
        " A varies and its value at the end of each step is held over it, as Mamba-3 does: exp(A dt) is then wrong by "
        "about A' dt²/2 a step, so that no rule is above local order 2 and global order 1.";
  } else {
    text +=
        " A varies and its value in the middle of each step is held over it: exp(A dt) is then wrong by dt³ only, and "
        "second order returns.";
  }
  return text;
}

const char* short_name(engine::RuleKind kind) {
  switch (kind) {
    case engine::RuleKind::exponential_euler:
      return "exp. Euler";
    case engine::RuleKind::exponential_trapezoid:
      return "exp. trap.";
    case engine::RuleKind::generalised_trapezoid:
      return "gen. trap.";
    case engine::RuleKind::zero_order_hold:
      return "ZOH";
    case engine::RuleKind::first_order_hold:
      return "FOH";
    case engine::RuleKind::forward_euler:
      return "fwd Euler";
    case engine::RuleKind::backward_euler:
      return "bwd Euler";
    case engine::RuleKind::bilinear:
      return "bilinear";
  }
  return "";
}

std::string slope_text(const engine::SlopeFit& fit, bool exact) {
  if (std::isfinite(fit.slope)) {
    const std::string slope = fmt::format("{:.3f}", fit.slope);
    return !std::isfinite(fit.half_width) ? slope
           : fit.half_width < 1e-4        ? slope + " ± <1e-4"
           : fit.half_width < 1e-3        ? fmt::format("{} ± {:.4f}", slope, fit.half_width)
                                          : fmt::format("{} ± {:.3f}", slope, fit.half_width);
  }
  return exact ? "exact to rounding" : "not fitted";
}

}  // namespace app
