// The laboratory of test signals: what the user set, and everything drawable that follows from it. The mathematics is
// engine/analysis/trajectory.h and step_size_study.h. Pure, no ImGui. Bounded: a few thousand steps whatever is set.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/analysis/step_size_study.h"
#include "engine/session/snapshot.h"

#include <array>
#include <cstdint>
#include <vector>

namespace app {

// The coefficients of a head at a token, as a test problem needs them.
struct HeadValues {
  bool known = false;  // kept, finite, dt between 1e-6 and 10
  double a = 0, omega = 0, dt = 0, lambda = 0;
};
// The un-rotated frame takes omega of the selected pair, the stored one omega = 0.
HeadValues head_values(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index);

struct LabSettings {
  engine::SignalProblem problem;  // its duration is the view's business
  double dt = 0.25;               // of the trajectories
  double lambda = 0.75;           // of the generalised trapezoid
  double fit_first = 1e-3, fit_last = 1e-1;
  std::array<bool, engine::rule_count> shown{true, true, true};  // by engine::RuleKind
  bool follow_head = true;  // decay, rotation, step and lambda are the selected head's

  bool operator==(const LabSettings&) const = default;
};
// Takes over what is known of the head.
void follow(LabSettings& settings, const HeadValues& head);

struct LabCurve {
  std::vector<double> error, leading;  // NaN where nothing can be drawn on a logarithmic axis
  engine::SlopeFit fit;
  bool exact = false;  // to rounding at every step size
  int order = 0;       // of theory, for a smooth signal
};
struct LabRule {
  engine::RuleKind kind;
  std::vector<double> re, im;  // on the grid of dt
  LabCurve local, global;
};
struct LabStudy {
  LabSettings settings;
  double dt = 0, duration = 0;                              // of the trajectories, as used
  std::vector<double> time, fine_time, exact_re, exact_im;  // the exact state on fine_time
  std::vector<double> step;                                 // sizes, ascending
  std::vector<LabRule> rules;                               // those shown
  double error_duration = 0;                                // over which the errors are the largest
  double step_turn = 0;  // |omega dt|: beyond about a third of a half turn, orders mean nothing
};
LabStudy make_lab_study(const LabSettings& settings);

}  // namespace app
