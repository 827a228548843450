// The complex state of one head as phasors: one per channel pair for a row p, with trails over tokens. Pure, no ImGui.
//
// Stored frame: z = h[p,a] + i h[p,b], whose keys were rotated by +theta when written, so it never turns by itself.
// Un-rotated frame: z = exp(-i theta_t) (h[p,a] + i h[p,b]), the complex state of the paper. SISO pairs channels
// (2i, 2i+1), MIMO (i, i + N/2); pairs at and beyond S have theta = 0 and are real pairs of channels.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/analysis/rotation.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

using engine::Complex;

// Where a pair is between two tokens, s in [0, 1]: the old value turned and decayed by the fraction s, plus the fraction
// s of what the step added. s = 0 gives `before`, s = 1 gives `after`. `turn` is dtheta; the state turns by -dtheta.
Complex along_step(Complex before, Complex after, double turn, double alpha, double s);

struct PhasorTrack {
  int pair = 0;
  bool turns = false;          // below S
  std::vector<Complex> trail;  // one per token, oldest first; back() is now
  std::vector<double> turn;    // dtheta that led to each point, radians; 0 in the stored frame
};

struct PhasorView {
  std::vector<PhasorTrack> tracks;  // all N/2 pairs, in order; empty when nothing was recorded
  std::int64_t first_token = 0;     // of the trails
  std::vector<double> alpha;        // that led to each point
  double radius = 0;                // largest finite |z| in the trails
  bool recorded = false;            // the matrix state of the shown token is there
};

// Trails of the last `trail` tokens up to `index`; they start after the newest token whose matrix was not recorded.
PhasorView make_phasors(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index, int trail);

}  // namespace app
