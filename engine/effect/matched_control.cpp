#include "engine/effect/matched_control.h"

#include "engine/base/random.h"
#include "engine/effect/side_by_side.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

namespace engine {

namespace {

std::size_t product(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

// Evenly spread over the sphere: normal deviates (Box and Muller), divided by their norm.
std::vector<double> unit_direction(const ControlDraw& draw, int layer, int head, std::size_t size) {
  const auto stream = (static_cast<std::uint64_t>(draw.position) << 32U) ^
                      (static_cast<std::uint64_t>(draw.control) << 48U) ^ (static_cast<std::uint64_t>(layer) << 16U) ^
                      static_cast<std::uint64_t>(head);
  Random random(draw.seed, stream);
  std::vector<double> u(size);
  double sum = 0;
  for (std::size_t i = 0; i < size; i += 2) {
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
    const double angle = 2 * std::numbers::pi * random.uniform();
    u[i] = radius * std::cos(angle);
    if (i + 1 < size) u[i + 1] = radius * std::sin(angle);
  }
  for (const double x : u) sum += x * x;
  for (double& x : u) x /= std::sqrt(sum);
  return u;
}

double accumulated(const LayerState& layer, std::size_t at) {
  return static_cast<double>(layer.angle[at]) + 2 * std::numbers::pi * layer.turns[at];
}

}  // namespace

const char* name_of(ControlKind kind) {
  constexpr const char* names[] = {"state", "step", "rotation"};
  return names[static_cast<std::size_t>(kind)];
}

SequenceState pushed(const ModelConfig& config, const SequenceState& control, const SequenceState& a,
                     const SequenceState& b, const ControlDraw& draw) {
  SequenceState out = control;
  const std::size_t size = product(config.headdim, config.d_state);
  for (int l = 0; l < config.n_layer; ++l) {
    const auto layer = static_cast<std::size_t>(l);
    for (int head = 0; head < config.heads(); ++head) {
      const double norm = std::sqrt(apart(config, a.layers[layer], b.layers[layer], head).squared);
      if (!(norm > 0)) continue;
      const std::vector<double> u = unit_direction(draw, l, head, size);
      const std::span<float> h = std::span(out.layers[layer].ssm).subspan(static_cast<std::size_t>(head) * size, size);
      for (std::size_t i = 0; i < size; ++i) h[i] = static_cast<float>(static_cast<double>(h[i]) + norm * u[i]);
    }
  }
  return out;
}

std::vector<double> advance_apart(const ModelConfig& config, const SequenceState& original_before,
                                  const SequenceState& original_after, const SequenceState& counterfactual_before,
                                  const SequenceState& counterfactual_after) {
  std::vector<double> norms;
  const int angles = config.angles();
  for (std::size_t l = 0; l < original_after.layers.size(); ++l) {
    for (int head = 0; head < config.heads(); ++head) {
      double sum = 0;
      for (std::size_t at = product(head, angles); at < product(head + 1, angles); ++at) {
        const double own = accumulated(original_after.layers[l], at) - accumulated(original_before.layers[l], at);
        const double other =
            accumulated(counterfactual_after.layers[l], at) - accumulated(counterfactual_before.layers[l], at);
        sum += (other - own) * (other - own);
      }
      norms.push_back(std::sqrt(sum));
    }
  }
  return norms;
}

SequenceChanges rotation_control(const ModelConfig& config, const std::vector<double>& apart, const ControlDraw& draw) {
  SequenceChanges changes;
  const auto angles = static_cast<std::size_t>(config.angles());
  if (angles == 0 || std::all_of(apart.begin(), apart.end(), [](double d) { return !(d > 0); })) return changes;
  changes.pairs.resize(apart.size() * angles);
  for (std::size_t at = 0; at < apart.size(); ++at) {
    const int heads = config.heads();
    const std::vector<double> u =
        unit_direction(draw, static_cast<int>(at) / heads, static_cast<int>(at) % heads, angles);
    for (std::size_t i = 0; i < angles; ++i) {
      kernels::PairChange& pair = changes.pairs[at * angles + i];
      pair.source = static_cast<std::int32_t>(i);
      if (apart[at] > 0) pair.advance.offset = static_cast<float>(apart[at] * u[i]);
    }
  }
  return changes;
}

}  // namespace engine
