// Finds channel pairs by what they do at a token, over all layers and heads: pairs that turn by a given part of a turn,
// that remember longest, that changed most. Pure, in double; no device.
#pragma once

#include "engine/analysis/rotation.h"
#include "engine/backend/state.h"
#include "engine/model/config.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

enum class PairMeasure : std::uint8_t {
  turn_near,        // |dtheta| mod one turn lies next to a given part of a turn, either sense
  largest_turn,     // |dtheta|
  slowest_decay,    // half-life in tokens; of a head, so one hit a head
  fastest_decay,    // the same, shortest first
  largest_change,   // |z_t - z_(t-1)| over all rows, in the given frame; of layers whose matrix state is held at both
  largest_state,    // |z_t| over all rows; of layers whose matrix state is held
  largest_winding,  // |accumulated phase|, in turns
};

struct PairQuery {
  PairMeasure measure = PairMeasure::turn_near;
  double turns = 0.5;  // of turn_near: in [0, 1/2]
  StateFrame frame = StateFrame::unrotated;
  bool operator==(const PairQuery&) const = default;
};

struct PairHit {
  int layer = 0, head = 0;
  int pair = -1;     // -1: the head as a whole
  double value = 0;  // in the measure's own unit: turns (signed), tokens, or the state's unit
  double rank = 0;   // what hits are ordered by, smaller first
};

// What is known of a token and the one before it; null where it is not held.
struct PairEvidence {
  const StepCoefficients* step = nullptr;
  const SequenceState* now = nullptr;
  const SequenceState* before = nullptr;
};

// The best `most` hits, best first; equal ones in the order of layer, head, pair. What is not a number is left out.
std::vector<PairHit> search_pairs(const ModelConfig& config, const PairEvidence& evidence, const PairQuery& query,
                                  std::size_t most);
// Layers that such a query can see; all of them for what the coefficients and caches tell.
int searched_layers(const ModelConfig& config, const PairEvidence& evidence, const PairQuery& query);

}  // namespace engine
