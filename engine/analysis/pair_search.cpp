#include "engine/analysis/pair_search.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <tuple>

namespace engine {

namespace {

const LayerState* matrix_of(const SequenceState* state, int layer) {
  if (state == nullptr || static_cast<std::size_t>(layer) >= state->layers.size()) return nullptr;
  const LayerState& found = state->layers[static_cast<std::size_t>(layer)];
  return holds_state(found) && holds_caches(found) ? &found : nullptr;
}

const LayerState* caches_of(const SequenceState* state, int layer) {
  if (state == nullptr || static_cast<std::size_t>(layer) >= state->layers.size()) return nullptr;
  const LayerState& found = state->layers[static_cast<std::size_t>(layer)];
  return holds_caches(found) ? &found : nullptr;
}

// |e^(-i theta_now) h_now - e^(-i theta_before) h_before| of one pair over all rows; `before` may be null: |h_now|.
double pair_norm(const ModelConfig& config, const LayerState& now, const LayerState* before, int head, int pair,
                 StateFrame frame) {
  double turn = 0;
  if (before != nullptr && frame == StateFrame::unrotated)
    turn = accumulated_phase(config, now, head, pair) - accumulated_phase(config, *before, head, pair);
  const Complex carried = std::polar(1.0, turn);
  const auto a = static_cast<std::size_t>(config.pair_first(pair)),
             b = static_cast<std::size_t>(config.pair_second(pair));
  double squares = 0;
  for (int p = 0; p < config.headdim; ++p) {
    const std::size_t row = (static_cast<std::size_t>(head) * config.headdim + p) * config.d_state;
    Complex z(now.ssm[row + a], now.ssm[row + b]);
    if (before != nullptr) z -= carried * Complex(before->ssm[row + a], before->ssm[row + b]);
    squares += std::norm(z);
  }
  return std::sqrt(squares);
}

// Whether the hits come from matrix states.
bool needs_matrix(PairMeasure measure) {
  return measure == PairMeasure::largest_change || measure == PairMeasure::largest_state;
}

bool sees_layer(const PairEvidence& evidence, PairMeasure measure, int layer) {
  if (measure == PairMeasure::largest_winding) return caches_of(evidence.now, layer) != nullptr;
  if (measure == PairMeasure::largest_change)
    return matrix_of(evidence.now, layer) != nullptr && matrix_of(evidence.before, layer) != nullptr;
  if (measure == PairMeasure::largest_state) return matrix_of(evidence.now, layer) != nullptr;
  return evidence.step != nullptr && !evidence.step->dt.empty();
}

// Distance of a turn from the wanted part of a turn, both senses alike, in turns.
double apart(double turns, double wanted) { return std::abs(std::abs(std::remainder(turns, 1.0)) - wanted); }

PairHit look(const ModelConfig& config, const PairEvidence& evidence, const PairQuery& query, int layer, int head,
             int pair) {
  constexpr double two_pi = 2 * std::numbers::pi;
  PairHit hit{layer, head, pair, 0, 0};
  switch (query.measure) {
    case PairMeasure::turn_near:
    case PairMeasure::largest_turn:
      hit.value = phase_increment(config, *evidence.step, layer, head, pair) / two_pi;
      hit.rank = query.measure == PairMeasure::turn_near ? apart(hit.value, query.turns) : -std::abs(hit.value);
      break;
    case PairMeasure::slowest_decay:
    case PairMeasure::fastest_decay: {
      const std::size_t at = static_cast<std::size_t>(layer) * config.heads() + head;
      hit.value = half_life_tokens(evidence.step->alpha[at]);
      if (std::isnan(static_cast<double>(evidence.step->alpha[at]))) hit.value = evidence.step->alpha[at];
      hit.rank = query.measure == PairMeasure::slowest_decay ? -hit.value : hit.value;
      break;
    }
    case PairMeasure::largest_change:
      hit.value = pair_norm(config, *matrix_of(evidence.now, layer), matrix_of(evidence.before, layer), head, pair,
                            query.frame);
      hit.rank = -hit.value;
      break;
    case PairMeasure::largest_state:
      hit.value = pair_norm(config, *matrix_of(evidence.now, layer), nullptr, head, pair, query.frame);
      hit.rank = -hit.value;
      break;
    case PairMeasure::largest_winding:
      hit.value = winding(config, *caches_of(evidence.now, layer), head, pair);
      hit.rank = -std::abs(hit.value);
      break;
  }
  return hit;
}

}  // namespace

int searched_layers(const ModelConfig& config, const PairEvidence& evidence, const PairQuery& query) {
  int count = 0;
  for (int layer = 0; layer < config.n_layer; ++layer) count += sees_layer(evidence, query.measure, layer) ? 1 : 0;
  return count;
}

std::vector<PairHit> search_pairs(const ModelConfig& config, const PairEvidence& evidence, const PairQuery& query,
                                  std::size_t most) {
  const bool of_head = query.measure == PairMeasure::slowest_decay || query.measure == PairMeasure::fastest_decay;
  // Pairs that never turn have a state, and no turn to be found by.
  const int pairs = needs_matrix(query.measure) ? config.d_state / 2 : config.angles();
  std::vector<PairHit> hits;
  for (int layer = 0; layer < config.n_layer; ++layer) {
    if (!sees_layer(evidence, query.measure, layer)) continue;
    for (int head = 0; head < config.heads(); ++head) {
      for (int pair = of_head ? -1 : 0; pair < (of_head ? 0 : pairs); ++pair) {
        const PairHit hit = look(config, evidence, query, layer, head, pair);
        if (!std::isnan(hit.rank)) hits.push_back(hit);
      }
    }
  }
  const auto better = [](const PairHit& a, const PairHit& b) {
    return std::tie(a.rank, a.layer, a.head, a.pair) < std::tie(b.rank, b.layer, b.head, b.pair);
  };
  const std::size_t kept = std::min(most, hits.size());
  std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(kept), hits.end(), better);
  hits.resize(kept);
  return hits;
}

}  // namespace engine
