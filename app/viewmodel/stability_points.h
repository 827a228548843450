// Where the steps of a token lie in the plane of mu dt = A dt - i dtheta, beside the regions in which a rule keeps the
// free state from growing. Pure, no ImGui.
//
// The free state is h' = mu h. The exponential rules of Mamba multiply by e^(mu dt), whose magnitude alpha is below 1
// for every A < 0 and any turn; the explicit Euler of textbooks multiplies by 1 + mu dt, and needs |1 + mu dt| <= 1.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <vector>

namespace app {

struct StabilityPoints {
  std::vector<double> re, im;            // pairs of other heads of all layers, at most 1500, evenly picked
  std::vector<double> head_re, head_im;  // all turning pairs of the selected head (one real point where none turns)
  int outside_explicit_euler = 0;        // of the selected head's, |1 + mu dt| > 1
  double reach = 1;                      // largest |re| or |im|, finite ones
};
StabilityPoints make_stability_points(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index);

}  // namespace app
