// What the kernel timings panel draws, from a plan and measured times: one token's timeline in rows of layers, and a
// table over the newest tokens, by kind of stage. Pure; times in microseconds.
#pragma once

#include "app/viewmodel/measured_times.h"
#include "engine/plan/step_plan.h"
#include "profiler/report/statistics.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

struct TimingBar {
  int stage = 0;  // id in the plan
  int kind = 0;   // engine::StageKind
  int layer = -1;
  double start_us = 0;  // from the row's first stage
  double duration_us = 0;
  std::uint32_t name = 0;  // interned kernel name; 0: none
};

struct TimingRow {
  std::string label;  // "layer 0–7", "head"
  std::vector<TimingBar> bars;
  double length_us = 0;
  double offset_us = 0;  // of its first stage, from the token's first piece of work
};

struct TokenTimeline {
  std::int64_t token = -1;  // -1: nothing measured
  profiler::TimeSource source = profiler::TimeSource::none;
  double wall_us = 0, stages_us = 0, gaps_us = 0;
  double longest_row_us = 0;
  std::vector<TimingRow> rows;
};

// Work before the first layer joins the first row; work after the last one is a row of its own. At most `most_rows`
// rows, at least 2.
TokenTimeline make_timeline(const engine::StepPlan& plan, const profiler::TokenTimes& times, int most_rows);

struct KindTimes {
  int kind = 0;
  int stages = 0;           // of this kind in the plan
  double median_us = 0;     // of their sum in a token
  double spread_us = 0;     // median absolute deviation
  std::uint64_t bytes = 0;  // read and written by all of them in one step, counted from shapes
  double gb_per_s = 0;      // bytes over the median; 0 where nothing was measured
  double share = 0;         // median over the median wall time, 0..1
};

struct TimingTable {
  std::size_t tokens = 0;  // measured ones behind the medians
  profiler::TimeSource source = profiler::TimeSource::none;
  profiler::StageClock clock = profiler::StageClock::recorded;           // of the kinds
  double wall_us = 0, stages_us = 0, between_us = 0, gaps_us = 0;        // medians
  double wall_spread_us = 0, between_spread_us = 0, gaps_spread_us = 0;  // median absolute deviations
  std::uint64_t bytes = 0;                                               // of the whole step
  std::vector<KindTimes> kinds;                                          // in the order of the plan
};

TimingTable make_timing_table(const engine::StepPlan& plan, const MeasuredTimes& times);
TimingTable make_timing_table(const engine::StepPlan& plan, profiler::Tokens tokens);

// "1.23", "12.3", "123", "1.2e+09", "<0.01": about three digits, whatever the size; "–" where the value is not finite.
std::string three_digits(double value);

}  // namespace app
