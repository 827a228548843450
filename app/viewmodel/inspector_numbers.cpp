#include "app/viewmodel/inspector_numbers.h"

#include "app/viewmodel/in_force.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"
#include "app/viewmodel/turns.h"
#include "engine/analysis/rotation.h"

#include <fmt/core.h>

#include <cmath>

namespace app {

namespace {

bool holds(const engine::Snapshot& snapshot, std::int64_t index) {
  return snapshot.model != nullptr && index >= 0 && index < static_cast<std::int64_t>(snapshot.tokens.size());
}

std::string complex_text(engine::Complex z) {
  return fmt::format("{} {} {}i", number_text(z.real(), 3), z.imag() < 0 ? "−" : "+",
                     number_text(std::abs(z.imag()), 3));
}

// z of the selected pair after token `index`; not finite where it was not recorded.
std::string phasor_text(const engine::Snapshot& snapshot, const Selection& at, std::int64_t index) {
  const engine::LayerState* layer = matrix_at(snapshot, index, at.layer);
  if (layer == nullptr) return index < 0 ? "0" : "not recorded";
  const auto row = engine::complex_row(snapshot.model->config(), *layer, at.head, at.row, frame_of(at.frame));
  const auto pair = static_cast<std::size_t>(at.pair);
  return pair < row.size() ? complex_text(row[pair]) : "not recorded";
}

}  // namespace

Formula frame_formula(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index) {
  if (!holds(snapshot, index)) return {};
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::StepCoefficients& step = snapshot.tokens[static_cast<std::size_t>(index)]->coefficients;
  const auto value = [&](const std::vector<float>& all) {
    return number_text(per_head(config, all, selection.layer, selection.head));
  };
  const double turn = turn_at(snapshot, index, selection.layer, selection.head, selection.pair);
  const std::string now = phasor_text(snapshot, selection, index);
  const std::string before = phasor_text(snapshot, selection, index - 1);
  if (selection.frame == Frame::stored) {
    return {{"h", "t", "", now},
            {"=", "", "", ""},
            {"α", "", "", value(step.alpha)},
            {"h", "t−1", "", before},
            {"+", "", "", ""},
            {"β", "", "", value(step.beta)},
            {"v", "t−1", "", ""},
            {"k", "t−1", "", ""},
            {"+", "", "", ""},
            {"γ", "", "", value(step.gamma)},
            {"v", "t", "", ""},
            {"k", "t", "", ""}};
  }
  const std::string angle = selection.pair < config.angles() ? number_text(-turn) + " rad" : "0 rad";
  return {{"z", "t", "", now},      {"=", "", "", ""}, {"α", "", "", value(step.alpha)}, {"e", "", "−iΔθ", angle},
          {"z", "t−1", "", before}, {"+", "", "", ""}, {"β", "", "", value(step.beta)},  {"e", "", "−iΔθ", ""},
          {"u", "t−1", "", ""},     {"+", "", "", ""}, {"γ", "", "", value(step.gamma)}, {"u", "t", "", ""}};
}

InspectorNumbers make_inspector(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index) {
  InspectorNumbers out;
  if (!holds(snapshot, index)) return out;
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(index)];
  const engine::StepCoefficients& step = record.coefficients;
  out.place = fmt::format("layer {} · head {} · token {} “{}”", selection.layer, selection.head, index,
                          token_text(snapshot, index));
  if (step.dt.empty()) return out;
  const auto value = [&](const std::vector<float>& all) {
    return per_head(config, all, selection.layer, selection.head);
  };
  const double alpha = value(step.alpha), lambda = value(step.lambda);
  out.rows.push_back({"dt", number_text(value(step.dt), 5), "softplus(raw + bias)",
                      "Step size of the head at this token, dimensionless: dt = softplus(dd_dt + dt_bias).", false});
  out.rows.push_back({"A", number_text(value(step.a)), "per unit of dt",
                      "Decay rate of the head at this token, per unit of dt; always negative.", false});
  const double half_life = engine::half_life_tokens(alpha);
  out.rows.push_back({"α", number_text(alpha, 5),
                      std::isinf(half_life) ? "no decay" : "half-life " + number_text(half_life, 3) + " tokens",
                      "What this token leaves of the old state: alpha = exp(A dt). Half-life = ln 2 / (-A dt).",
                      false});
  const char* nearest = lambda > 0.75   ? "near Euler (1)"
                        : lambda > 0.25 ? "near trapezoid (½)"
                                        : "leans on the last token";
  out.rows.push_back(
      {"λ", number_text(lambda), config.lambda_override >= 0 ? "fixed by task.json" : nearest,
       "Weight of the current token in the quadrature: lambda = sigmoid(trap). 1 is Euler, 1/2 the trapezoid.", false});
  out.rows.push_back({"β, γ", number_text(value(step.beta), 3) + ", " + number_text(value(step.gamma), 3), "",
                      "Weights of the last and the current input: beta = (1 - lambda) dt alpha, gamma = lambda dt.",
                      false});
  if (selection.pair < config.angles()) {
    const double turn = turn_at(snapshot, index, selection.layer, selection.head, selection.pair);
    const std::string label = turn_label(turn);
    out.rows.push_back({"Δθ", number_text(turn) + " rad", label == "—" ? fmt::format("pair {}", selection.pair) : label,
                        fmt::format("Turn of pair {} at this token: dtheta = pi tanh(raw) dt. The un-rotated state "
                                    "turns by -dtheta.",
                                    selection.pair),
                        label != "—"});
    if (const engine::LayerState* layer = layer_at(snapshot, index, selection.layer)) {
      const double turns = engine::winding(config, *layer, selection.head, selection.pair);
      out.rows.push_back({"θ", number_text(2 * pi * turns) + " rad", number_text(turns, 3) + " turns",
                          "Phase gathered since the first token; wrapped each step, whole turns counted apart.",
                          false});
    }
  } else {
    out.rows.push_back({"Δθ", "0", fmt::format("pair {} never turns", selection.pair),
                        "Channels beyond the rotary fraction are real: no angle reaches them.", false});
  }
  out.rows.push_back({"‖H‖", number_text(value(step.state_norm)),
                      fmt::format("P {} × N {}", config.headdim, config.d_state),
                      "Frobenius norm of the head's state after this token.", false});
  out.rows.push_back({"‖ΔH‖", number_text(value(step.state_change)), "change in this step",
                      "Frobenius norm of H_t - H_(t-1), stored frame.", false});
  const auto& errors = selection.frame == Frame::unrotated ? record.error_unrotated : record.error_stored;
  const std::size_t at = static_cast<std::size_t>(selection.layer) * static_cast<std::size_t>(config.heads()) +
                         static_cast<std::size_t>(selection.head);
  if (at < errors.size()) {
    out.rows.push_back(
        {"error", number_text(static_cast<double>(errors[at].model), 3),
         fmt::format("Euler {}, trap. {}", number_text(static_cast<double>(errors[at].euler), 3),
                     number_text(static_cast<double>(errors[at].trapezoid), 3)),
         fmt::format("Relative local error of the model's lambda under the linear interpolant of B x, {} "
                     "frame.",
                     selection.frame == Frame::unrotated ? "un-rotated" : "stored"),
         false});
  }
  out.state = {{"H", "t", "", number_text(value(step.state_norm), 3)},
               {"=", "", "", ""},
               {"α", "", "", number_text(alpha)},
               {"H", "t−1", "", ""},
               {"+", "", "", ""},
               {"β", "", "", number_text(value(step.beta), 3)},
               {"v", "t−1", "", ""},
               {"k", "t−1", "T", ""},
               {"+", "", "", ""},
               {"γ", "", "", number_text(value(step.gamma), 3)},
               {"v", "t", "", ""},
               {"k", "t", "T", ""}};
  if (out.state.front().number != "nan") out.state.front().number = "‖·‖ " + out.state.front().number;
  out.pair = frame_formula(snapshot, selection, index);
  return out;
}

}  // namespace app
