#include "engine/verify/parity_cells.h"

#include "kernels/bf16.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace engine {

namespace {

constexpr double two_pi = 6.283185307179586;

std::size_t positive(int value) { return static_cast<std::size_t>(value); }

// A layer's part of an array over layers; nothing where the array is empty.
std::span<const float> part(const std::vector<float>& values, int layer, const ModelConfig& config) {
  const std::size_t count = values.size() / positive(config.n_layer);
  return {values.data() + positive(layer) * count, count};
}

std::span<const float> point(const std::vector<float>& values, std::size_t index, const ModelConfig& config) {
  if (values.empty()) return {};
  const std::size_t d = positive(config.d_model);
  return {values.data() + index * d, d};
}

std::size_t point_of(ParityTensor tensor, int layer) {
  return tensor == ParityTensor::embedding ? 0 : 2 * positive(layer) + (tensor == ParityTensor::mixer ? 1 : 2);
}

// Empty for turns, which are no floats, and for what is not known.
std::span<const float> values_of(const ParityValues& from, ParityTensor tensor, int layer, const ModelConfig& config) {
  const StepCoefficients& c = from.coefficients;
  switch (tensor) {
    case ParityTensor::dt:
      return part(c.dt, layer, config);
    case ParityTensor::a:
      return part(c.a, layer, config);
    case ParityTensor::lambda:
      return part(c.lambda, layer, config);
    case ParityTensor::alpha:
      return part(c.alpha, layer, config);
    case ParityTensor::beta:
      return part(c.beta, layer, config);
    case ParityTensor::gamma:
      return part(c.gamma, layer, config);
    case ParityTensor::turn:
      return part(c.turn, layer, config);
    case ParityTensor::angle:
      return from.state.layers[positive(layer)].angle;
    case ParityTensor::k:
      return from.state.layers[positive(layer)].k;
    case ParityTensor::v:
      return from.state.layers[positive(layer)].v;
    case ParityTensor::ssm:
      return from.state.layers[positive(layer)].ssm;
    case ParityTensor::mlp:
      if (!config.has_mlp()) return {};
      [[fallthrough]];
    case ParityTensor::embedding:
    case ParityTensor::mixer:
      return point(from.added, point_of(tensor, layer), config);
    case ParityTensor::logits:
      return from.logits;
    case ParityTensor::turns:
      break;
  }
  return {};
}

double phase_turns(const LayerState& layer, std::size_t i) {
  return static_cast<double>(layer.turns[i]) + static_cast<double>(layer.angle[i]) / two_pi;
}

// The difference, less what a rounding may have made of it.
double beyond(double difference, double allowed) {
  if (std::fabs(difference) <= allowed) return 0;
  return difference - std::copysign(allowed, difference);  // of what is not a number: that
}

// Values of one cell, one after the other.
class Worst {
 public:
  explicit Worst(ParityCell& cell) : cell_(cell) {}
  void add(float found, float expected, double difference) {
    const bool finite = std::isfinite(found) && std::isfinite(difference);
    const bool first = !finite && cell_.not_finite == 0;
    if (!finite) ++cell_.not_finite;
    if (first || (finite && cell_.not_finite == 0 && std::fabs(difference) > largest_difference_)) {
      cell_.index = cell_.values;
      cell_.found = found;
      cell_.expected = expected;
    }
    if (cell_.values == 0) {
      cell_.found = found;
      cell_.expected = expected;
    }
    if (finite) largest_difference_ = std::max(largest_difference_, std::fabs(difference));
    largest_ = std::max(largest_, std::fabs(static_cast<double>(expected)));
    ++cell_.values;
  }
  void finish(double rtol) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const bool whole = cell_.tensor == ParityTensor::turns;
    if (cell_.not_finite > 0) {
      cell_.difference = infinity;
    } else if (largest_difference_ > 0) {
      cell_.difference = whole ? largest_difference_ : largest_ == 0 ? infinity : largest_difference_ / largest_;
    }
    cell_.of_limit = cell_.difference == 0 ? 0 : whole ? infinity : cell_.difference / rtol;
  }

 private:
  ParityCell& cell_;
  double largest_difference_ = 0, largest_ = 0;
};

ParityCell compare_cell(const ParityValues& found, const ParityValues& expected, const ModelConfig& config, int layer,
                        ParityTensor tensor, const ParityLimits& limits) {
  ParityCell cell;
  cell.layer = layer;
  cell.tensor = tensor;
  Worst worst(cell);
  if (tensor == ParityTensor::turns) {
    const LayerState& a = found.state.layers[positive(layer)];
    const LayerState& b = expected.state.layers[positive(layer)];
    for (std::size_t i = 0; i < a.turns.size(); ++i) {
      const double off = std::round(phase_turns(a, i) - phase_turns(b, i));
      // An angle that is not a number has a cell of its own.
      worst.add(static_cast<float>(a.turns[i]), static_cast<float>(b.turns[i]), std::isfinite(off) ? off : 0);
    }
    worst.finish(limits.rtol);
    return cell;
  }
  const auto a = values_of(found, tensor, layer, config), b = values_of(expected, tensor, layer, config);
  if (a.size() != b.size()) return cell;  // one of both was not watched
  const bool added = tensor == ParityTensor::mixer || tensor == ParityTensor::mlp;
  const auto residual = added ? point(expected.residual, point_of(tensor, layer), config) : std::span<const float>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    double off = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    if (tensor == ParityTensor::angle) off = std::remainder(off, two_pi);
    if (limits.bf16_state && tensor == ParityTensor::ssm)
      off = beyond(off, static_cast<double>(kernels::half_ulp_bf16(b[i])));
    // Of each run the sum's rounding and that of the difference of two sums, half a unit in the last place each.
    if (added) off = beyond(off, 0x1.0p-22 * std::fabs(static_cast<double>(residual[i])));
    worst.add(a[i], b[i], off);
  }
  worst.finish(limits.rtol);
  return cell;
}

template <class Visit>
void each_cell(const ModelConfig& config, Visit visit) {
  visit(-1, ParityTensor::embedding);
  for (int layer = 0; layer < config.n_layer; ++layer) {
    for (const ParityTensor tensor : layer_tensors) visit(layer, tensor);
  }
  visit(-1, ParityTensor::logits);
}

}  // namespace

const char* name_of(ParityTensor tensor) {
  constexpr std::array<const char*, parity_tensor_count> names = {
      "embedding", "dt",    "A", "lambda", "alpha", "beta",  "gamma", "turn",
      "angle",     "turns", "k", "v",      "ssm",   "mixer", "mlp",   "logits"};
  return names[static_cast<std::size_t>(tensor)];
}

std::size_t parity_cell_count(const ModelConfig& config) { return 2 + positive(config.n_layer) * layer_tensors.size(); }

std::size_t parity_cell_index(const ModelConfig& config, int layer, ParityTensor tensor) {
  if (tensor == ParityTensor::embedding) return 0;
  if (tensor == ParityTensor::logits) return parity_cell_count(config) - 1;
  const auto first = static_cast<std::size_t>(layer_tensors.front());
  return 1 + positive(layer) * layer_tensors.size() + static_cast<std::size_t>(tensor) - first;
}

std::vector<ParityCell> compare_cells(const ParityValues& found, const ParityValues& expected,
                                      const ModelConfig& config, const ParityLimits& limits) {
  std::vector<ParityCell> cells;
  cells.reserve(parity_cell_count(config));
  each_cell(config, [&](int layer, ParityTensor tensor) {
    cells.push_back(compare_cell(found, expected, config, layer, tensor, limits));
  });
  return cells;
}

std::size_t first_unequal(const ParityValues& a, const ParityValues& b, const ModelConfig& config) {
  std::size_t at = 0, found = parity_cell_count(config);
  each_cell(config, [&](int layer, ParityTensor tensor) {
    bool same = true;
    if (tensor == ParityTensor::turns) {
      same = a.state.layers[positive(layer)].turns == b.state.layers[positive(layer)].turns;
    } else {
      const auto x = values_of(a, tensor, layer, config), y = values_of(b, tensor, layer, config);
      same = x.size() == y.size() && (x.empty() || std::memcmp(x.data(), y.data(), x.size_bytes()) == 0);
    }
    if (!same) found = std::min(found, at);
    ++at;
  });
  return found;
}

std::string describe(const ParityCell& cell) {
  return cell.layer < 0 ? name_of(cell.tensor) : fmt::format("layer {} {}", cell.layer, name_of(cell.tensor));
}

int head_of(const ModelConfig& config, ParityTensor tensor, std::size_t index) {
  const std::size_t n = positive(config.d_state), p = positive(config.headdim), h = positive(config.heads());
  switch (tensor) {
    case ParityTensor::angle:
    case ParityTensor::turns:
      return static_cast<int>(index / std::max<std::size_t>(1, positive(config.angles())));
    case ParityTensor::k:
      return static_cast<int>(index / n % h);
    case ParityTensor::v:
      return static_cast<int>(index / p);
    case ParityTensor::ssm:
      return static_cast<int>(index / (p * n));
    case ParityTensor::turn:
    case ParityTensor::embedding:
    case ParityTensor::mixer:
    case ParityTensor::mlp:
    case ParityTensor::logits:
      return -1;
    default:
      return static_cast<int>(index);
  }
}

std::string place_in(const ModelConfig& config, ParityTensor tensor, std::size_t index) {
  const std::size_t n = positive(config.d_state), p = positive(config.headdim), h = positive(config.heads());
  const std::size_t s = std::max<std::size_t>(1, positive(config.angles()));
  switch (tensor) {
    case ParityTensor::angle:
    case ParityTensor::turns:
      return fmt::format("head {}, pair {}", index / s, index % s);
    case ParityTensor::turn:
      return fmt::format("pair {}", index);
    case ParityTensor::k:
      return fmt::format("rank {}, head {}, channel {}", index / (h * n), index / n % h, index % n);
    case ParityTensor::v:
      return fmt::format("head {}, row {}", index / p, index % p);
    case ParityTensor::ssm:
      return fmt::format("head {}, row {}, column {}", index / (p * n), index / n % p, index % n);
    case ParityTensor::embedding:
    case ParityTensor::mixer:
    case ParityTensor::mlp:
      return fmt::format("channel {}", index);
    case ParityTensor::logits:
      return fmt::format("token {}", index);
    default:
      return fmt::format("head {}", index);
  }
}

}  // namespace engine
