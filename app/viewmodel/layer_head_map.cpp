#include "app/viewmodel/layer_head_map.h"

#include "app/viewmodel/shown.h"
#include "engine/analysis/rotation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace app {

namespace {

constexpr std::array<QuantityInfo, map_quantity_count> quantities{{
    {MapQuantity::state_norm, "state norm", "‖H‖", "", "Frobenius norm of the head's P x N state after the token.",
     true},
    {MapQuantity::state_change, "state change", "‖ΔH‖", "", "Frobenius norm of H_t - H_(t-1), stored frame.", true},
    {MapQuantity::decay, "decay", "α", "", "What one token leaves of the old state: alpha = exp(A dt).", false},
    {MapQuantity::half_life, "half-life", "t½", "tokens", "Tokens until half is forgotten: ln 2 / (-A dt).", true},
    {MapQuantity::lambda, "lambda", "λ", "", "Weight of the current token: 1 is Euler, 1/2 the trapezoid.", false},
    {MapQuantity::dt, "step size", "dt", "", "dt = softplus(raw + bias), dimensionless.", true},
    {MapQuantity::rotation_speed, "rotation", "|Δθ|", "rad/token", "Root mean square of dtheta over the turning pairs.",
     false},
    {MapQuantity::euler_error, "Euler error", "Euler error", "relative",
     "Relative local error of lambda = 1 under the linear interpolant of the model's own input.", true},
}};

double value_of(const engine::Snapshot& snapshot, const engine::TokenRecord& record, MapQuantity quantity, Frame frame,
                int layer, int head) {
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::StepCoefficients& step = record.coefficients;
  switch (quantity) {
    case MapQuantity::state_norm:
      return per_head(config, step.state_norm, layer, head);
    case MapQuantity::state_change:
      return per_head(config, step.state_change, layer, head);
    case MapQuantity::decay:
      return per_head(config, step.alpha, layer, head);
    case MapQuantity::half_life:
      return engine::half_life_tokens(per_head(config, step.alpha, layer, head));
    case MapQuantity::lambda:
      return per_head(config, step.lambda, layer, head);
    case MapQuantity::dt:
      return per_head(config, step.dt, layer, head);
    case MapQuantity::rotation_speed: {
      double squares = 0;
      for (int pair = 0; pair < config.angles(); ++pair) {
        const double turn = engine::phase_increment(config, step, layer, head, pair);
        squares += turn * turn;
      }
      return std::sqrt(squares / std::max(config.angles(), 1));
    }
    case MapQuantity::euler_error: {
      const auto& errors = frame == Frame::unrotated ? record.error_unrotated : record.error_stored;
      const std::size_t at =
          static_cast<std::size_t>(layer) * static_cast<std::size_t>(config.heads()) + static_cast<std::size_t>(head);
      if (at >= errors.size()) return std::numeric_limits<double>::quiet_NaN();
      return static_cast<double>(errors[at].euler);
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

const QuantityInfo& info_of(MapQuantity quantity) { return quantities[static_cast<std::size_t>(quantity)]; }

float LayerHeadMap::position(float value) const {
  if (!std::isfinite(value)) return std::numeric_limits<float>::quiet_NaN();
  double v = static_cast<double>(value), from = low, to = high;
  if (logarithmic) {
    v = std::log(v);
    from = std::log(from);
    to = std::log(to);
  }
  if (!(to > from)) return 0.5F;
  return static_cast<float>(std::clamp((v - from) / (to - from), 0.0, 1.0));
}

LayerHeadMap make_layer_head_map(const engine::Snapshot& snapshot, std::int64_t index, MapQuantity quantity,
                                 Frame frame) {
  LayerHeadMap map;
  if (snapshot.model == nullptr) return map;
  const engine::ModelConfig& config = snapshot.model->config();
  map.layers = config.n_layer;
  map.heads = config.heads();
  map.values.assign(static_cast<std::size_t>(map.layers) * static_cast<std::size_t>(map.heads),
                    std::numeric_limits<float>::quiet_NaN());
  if (index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size())) return map;
  const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(index)];
  bool positive = true;
  std::size_t at = 0;
  for (int layer = 0; layer < map.layers; ++layer) {
    for (int head = 0; head < map.heads; ++head, ++at) {
      const double value = value_of(snapshot, record, quantity, frame, layer, head);
      map.values[at] = static_cast<float>(value);
      if (!std::isfinite(value)) continue;
      map.low = map.any ? std::min(map.low, value) : value;
      map.high = map.any ? std::max(map.high, value) : value;
      map.any = true;
      positive = positive && value > 0;
    }
  }
  map.logarithmic = info_of(quantity).logarithmic && positive && map.any;
  return map;
}

}  // namespace app
