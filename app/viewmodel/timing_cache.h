// The view values of one document's times, with what they were made from, so that they are made again only when
// something changed. UI thread only.
#pragma once

#include "app/viewmodel/rank_curves.h"
#include "app/viewmodel/roofline.h"
#include "app/viewmodel/sample_strip.h"
#include "app/viewmodel/timing_bars.h"
#include "app/viewmodel/timing_distribution.h"
#include "app/viewmodel/timing_rows.h"
#include "app/wiring/grouped_counters.h"
#include "app/wiring/run_timeline_job.h"

#include <memory>

namespace app {

struct TimingCache {
  std::shared_ptr<const profiler::TokenTimes> newest, shown;
  std::int64_t wanted = -1;  // the token that was asked for
  double refreshed_s = -1;
  int rows = 0;
  TimingTable table;
  TokenTimeline timeline;
  StepBar median_bar, token_bar;
  std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens;  // behind the medians

  // Made when they are drawn, from the tokens up to the one named beside them.
  struct Rows {
    std::shared_ptr<const profiler::TokenTimes> of;
    ProfileRows by = ProfileRows::kinds;
    std::vector<TimingTableRow> rows;
  } table_rows;
  struct Distribution {
    std::shared_ptr<const profiler::TokenTimes> of;
    int stage = -1, kind = -1;
    TimingDistribution values;
  } distribution;
  struct Roof {
    std::shared_ptr<const profiler::TokenTimes> of;
    const StageCounters* counters = nullptr;
    Roofline values;
  } roofline;
  struct Counters {
    const StageCounters* of = nullptr;
    ProfileRows by = ProfileRows::kinds;
    std::vector<GroupCounters> rows;
  } counters;
  struct Ranks {
    const RankFamily* of = nullptr;
    RankCurves values;
  } ranks;
  struct Run {
    std::shared_ptr<const profiler::TokenTimes> of;
    double made_s = -1;
    std::shared_ptr<const RunTimeline> values;  // null: not made yet
    std::shared_ptr<RunTimelineJob> job;        // makes the next one
    std::shared_ptr<const profiler::TokenTimes> job_of;
  } run;
  struct Samples {
    std::shared_ptr<const profiler::TokenTimes> of;
    SampleStrip strip;
  } samples;
  struct Strip {  // of a recorded profile's wall times
    std::shared_ptr<const profiler::TokenTimes> of;
    profiler::Outliers outliers;
  } strip;
  struct Layers {
    std::shared_ptr<const profiler::TokenTimes> of;
    std::vector<TimingTableRow> stages;
  } layers;
};

}  // namespace app
