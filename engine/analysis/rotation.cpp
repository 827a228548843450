#include "engine/analysis/rotation.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace engine {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double two_pi = 2 * std::numbers::pi;

// e^(-i theta) of each pair, (N / 2); ones in the stored frame.
std::vector<Complex> turns_back(const ModelConfig& config, const LayerState& layer, int head, StateFrame frame) {
  std::vector<Complex> turn(static_cast<std::size_t>(config.d_state / 2), Complex(1, 0));
  if (frame == StateFrame::stored) return turn;
  const int angles = config.angles();
  for (int i = 0; i < angles; ++i) {
    turn[static_cast<std::size_t>(i)] = std::polar(1.0, -static_cast<double>(layer.angle[head * angles + i]));
  }
  return turn;
}

void append_pairs(const ModelConfig& config, const float* channels, const std::vector<Complex>& turn,
                  std::vector<Complex>& out) {
  for (int i = 0; i < config.d_state / 2; ++i) {
    const Complex stored(channels[config.pair_first(i)], channels[config.pair_second(i)]);
    out.push_back(turn[static_cast<std::size_t>(i)] * stored);
  }
}

}  // namespace

bool holds_state(const LayerState& layer) { return !layer.ssm.empty(); }
bool holds_caches(const LayerState& layer) { return !layer.k.empty(); }

std::vector<Complex> complex_row(const ModelConfig& config, const LayerState& layer, int head, int row,
                                 StateFrame frame) {
  std::vector<Complex> z;
  if (!holds_state(layer)) return z;
  z.reserve(static_cast<std::size_t>(config.d_state / 2));
  const std::size_t at = (static_cast<std::size_t>(head) * config.headdim + row) * config.d_state;
  append_pairs(config, layer.ssm.data() + at, turns_back(config, layer, head, frame), z);
  return z;
}

std::vector<Complex> complex_state(const ModelConfig& config, const LayerState& layer, int head, StateFrame frame) {
  std::vector<Complex> z;
  if (!holds_state(layer)) return z;
  z.reserve(static_cast<std::size_t>(config.headdim) * (config.d_state / 2));
  const std::vector<Complex> turn = turns_back(config, layer, head, frame);
  for (int p = 0; p < config.headdim; ++p) {
    const std::size_t at = (static_cast<std::size_t>(head) * config.headdim + p) * config.d_state;
    append_pairs(config, layer.ssm.data() + at, turn, z);
  }
  return z;
}

std::vector<Complex> complex_key(const ModelConfig& config, const LayerState& layer, int head, int rank,
                                 StateFrame frame) {
  std::vector<Complex> z;
  if (!holds_caches(layer)) return z;
  z.reserve(static_cast<std::size_t>(config.d_state / 2));
  const std::size_t at = (static_cast<std::size_t>(rank) * config.heads() + head) * config.d_state;
  append_pairs(config, layer.k.data() + at, turns_back(config, layer, head, frame), z);
  return z;
}

double accumulated_phase(const ModelConfig& config, const LayerState& layer, int head, int pair) {
  if (!holds_caches(layer)) return nan;
  if (pair >= config.angles()) return 0;
  const std::size_t at = static_cast<std::size_t>(head) * config.angles() + pair;
  return static_cast<double>(layer.angle[at]) + two_pi * layer.turns[at];
}

double winding(const ModelConfig& config, const LayerState& layer, int head, int pair) {
  return accumulated_phase(config, layer, head, pair) / two_pi;
}

double phase_increment(const ModelConfig& config, const StepCoefficients& coefficients, int layer, int head, int pair) {
  if (coefficients.dt.empty()) return nan;
  if (pair >= config.angles()) return 0;
  const float* turns = coefficients.turn.data() + static_cast<std::size_t>(layer) * config.angles();
  const std::size_t at = static_cast<std::size_t>(layer) * config.heads() + head;
  const double dt = coefficients.dt[at];
  if (coefficients.pairs == nullptr) return static_cast<double>(turns[pair]) * dt;
  return kernels::changed_advance((*coefficients.pairs)[at * config.angles() + pair], turns, dt);
}

TurnClass classify_turn(double radians, double tolerance_turns) {
  TurnClass found;
  found.turns = radians / two_pi;
  for (int denominator = 1; denominator <= 8; ++denominator) {
    const double nearest = std::round(found.turns * denominator);
    const double residual = found.turns - nearest / denominator;
    if (std::abs(nearest) < 1e6 && std::abs(residual) <= tolerance_turns) {
      found.numerator = static_cast<int>(nearest);
      found.denominator = denominator;
      found.residual = residual;
      return found;
    }
  }
  found.denominator = 0;
  return found;
}

std::string name_of(const TurnClass& turn) {
  if (turn.denominator == 0) return fmt::format("{:.3f} turn", turn.turns);
  if (turn.still()) return "still";
  const char* sign = turn.numerator < 0 ? "-" : "";
  const int count = std::abs(turn.numerator);
  if (turn.denominator == 1)
    return count == 1 ? fmt::format("{}full turn", sign) : fmt::format("{}{} turns", sign, count);
  if (turn.denominator == 2 && count == 1) return fmt::format("{}half turn", sign);
  return fmt::format("{}{}/{} turn", sign, count, turn.denominator);
}

namespace {

Complex mean_direction(std::span<const double> radians) {
  Complex sum(0, 0);
  for (const double angle : radians) sum += std::polar(1.0, angle);
  return radians.empty() ? Complex(nan, nan) : sum / static_cast<double>(radians.size());
}

}  // namespace

double circular_concentration(std::span<const double> radians) { return std::abs(mean_direction(radians)); }
double circular_mean(std::span<const double> radians) { return std::arg(mean_direction(radians)); }

double half_life_tokens(double alpha) {
  if (alpha >= 1) return std::numeric_limits<double>::infinity();
  return alpha > 0 ? std::log(0.5) / std::log(alpha) : 0.0;
}

}  // namespace engine
