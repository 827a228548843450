// The three rules on an input whose solution is known: the selected head's (A, omega, dt, lambda) driven by a sine. For
// the plots of trajectories and of error against step size. Pure; the mathematics is engine/analysis/test_signal.h.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/analysis/test_signal.h"
#include "engine/session/snapshot.h"

#include <array>
#include <cstdint>
#include <vector>

namespace app {

struct SignalStudy {
  bool known = false;  // the head's coefficients are there
  double a = 0, omega = 0, dt = 0, lambda = 0;
  double duration = 0;  // of the trajectory: 12 steps of dt, at least one period's quarter
  std::vector<double> time, fine_time;
  std::array<std::vector<double>, 3> rule;   // Re h on the grid of dt, by Rule
  std::vector<double> exact;                 // Re h on fine_time
  std::vector<double> step;                  // sizes, ascending
  std::array<std::vector<double>, 3> error;  // largest |input term - exact| of one step, by Rule; NaN for zero
  std::array<double, 3> slope{};             // fitted, local
};

// `rate` of the sine in radians per unit of time. The un-rotated frame takes omega of the selected pair, the stored one
// omega = 0. dt beyond 1e3 or not finite: not known.
SignalStudy make_signal_study(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                              double rate);

}  // namespace app
