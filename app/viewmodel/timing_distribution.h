// How the time of what is selected is distributed over the measured tokens: a stage, a kind of stage or the whole step. Pure;
// times in microseconds.
#pragma once

#include "app/viewmodel/measured_times.h"
#include "app/viewmodel/selection.h"
#include "engine/plan/step_plan.h"
#include "profiler/report/distribution.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

struct TimingDistribution {
  std::string title;         // "state_update of layer 3", "in_proj", "whole step"
  int kind = -1;             // engine::StageKind; -1: the whole step
  bool waiting_out = false;  // the times leave out what kernels wait for each other
  std::size_t tokens = 0;
  double median_us = 0, p5_us = 0, p25_us = 0, p75_us = 0, p95_us = 0, max_us = 0;
  double low_us = 0, width_us = 0;  // of the bins
  std::vector<double> counts;
  double above = 0;                         // outliers, right of the bins
  std::vector<profiler::Outlier> outliers;  // the longest first
  double limit_us = 0;                      // beyond which a token is one
};

// A stage that the plan does not have counts as none. Empty (tokens 0) where the selection was never measured.
TimingDistribution make_timing_distribution(const engine::StepPlan& plan, const MeasuredTimes& times, int stage,
                                            int kind);
TimingDistribution make_timing_distribution(const engine::StepPlan& plan, profiler::Tokens tokens, int stage, int kind);

}  // namespace app
