// The rows of the timings' table: the stages of a plan by kind, by layer or one by one, with their times over the measured
// tokens; sorted and filtered as the user asks. Pure; times in microseconds.
#pragma once

#include "app/viewmodel/measured_times.h"
#include "app/wiring/profile_groups.h"
#include "profiler/report/statistics.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct TimingTableRow {
  StageGroup group;
  double median_us = 0, spread_us = 0, p95_us = 0;  // spread: median absolute deviation
  double gb_per_s = 0, gflop_per_s = 0;             // cost over the median; 0: not measured
  double share = 0;                                 // median over the median wall time, 0..1
  std::size_t tokens = 0, outliers = 0;             // by the rule of profiler/report/distribution.h
};
// Times by the clock that fits the tokens (profiler::clock_for).
std::vector<TimingTableRow> make_timing_rows(const engine::StepPlan& plan, const MeasuredTimes& times,
                                             ProfileRows rows);
std::vector<TimingTableRow> make_timing_rows(const engine::StepPlan& plan, profiler::Tokens tokens, ProfileRows rows);

enum class TimingColumn { name, median, spread, bytes, rate, share };

// Indices of the rows whose full name holds every word of `filter` (whatever the case), in order of a column (-1: as they
// are). Equal ones keep their order.
std::vector<int> arranged(const std::vector<TimingTableRow>& rows, std::string_view filter, int column,
                          bool descending);

}  // namespace app
