// Two pictures of a head's state as plain arrays: phase of every pair over tokens, and the P x N matrix. Pure, no ImGui.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <vector>

namespace app {

// Phase of the row's phasors: (pairs, tokens), row-major. NaN where the matrix state was not recorded, or was not finite.
struct PhaseRaster {
  int pairs = 0, tokens = 0;
  std::int64_t first_token = 0;
  std::vector<float> phase;      // radians in [-pi, pi]
  std::vector<float> magnitude;  // |z|; 0 where it was not recorded, NaN where it was not finite
  float largest = 0;             // of magnitude
  int recorded = 0;              // tokens with a matrix state
};
// The newest `max_tokens` tokens up to `index`; turning pairs only, or all N/2.
PhaseRaster make_phase_raster(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                              int max_tokens, bool all_pairs);

// The matrix of the selected head in the selected frame, (P, N) row-major: un-rotated, channels a and b of a turning
// pair hold Re z and Im z. Empty where it was not recorded.
struct StateMatrix {
  int rows = 0, columns = 0;
  std::vector<float> values;
  float largest = 0;  // |value|, finite ones only
  double norm = 0;    // Frobenius
  int not_finite = 0;
};
StateMatrix make_state_matrix(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index);

// What a head remembers, per token from first_token to the shown one.
struct MemoryView {
  std::vector<double> token;
  std::vector<double> turns;      // accumulated phase of the selected pair / 2 pi
  std::vector<double> retained;   // product of alpha after the first token: weight left of what was written then
  std::vector<double> half_life;  // tokens, at each token's alpha
  double mean_half_life = 0;      // tokens, of the geometric mean of alpha over the window; inf where alpha = 1
};
MemoryView make_memory(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                       int max_tokens);

}  // namespace app
