// Hardware counters of stages that are counted together: by kind, by layer or each by itself. Pure.
#pragma once

#include "app/wiring/profile_groups.h"
#include "app/wiring/stage_counters.h"

#include <string>
#include <vector>

namespace app {

// Sums; shares of a peak are means weighted by time. NaN where nothing was counted.
struct GroupCounters {
  StageGroup group;
  int counted = 0;               // stages of it
  std::uint64_t plan_bytes = 0;  // of those
  std::vector<double> values;    // by metric

  double value(const StageCounters& counters, const char* metric) const;
  double memory_bytes(const StageCounters& counters) const;  // read and written
};
// In the order of the plan, which must be the one that was counted.
std::vector<GroupCounters> grouped_counters(const StageCounters& counters, const engine::StepPlan& plan,
                                            ProfileRows rows);

// One of `values` (by metric) by its name; NaN where it was not counted.
double counter_value(const StageCounters& counters, const std::vector<double>& values, const char* metric);

}  // namespace app
