// The view values of one document's times, with what they were made from, so that they are made again only when
// something changed. Those that look at every record of a large recording are made behind the window. UI thread only.
#pragma once

#include "app/viewmodel/live_times.h"
#include "app/viewmodel/rank_curves.h"
#include "app/viewmodel/record_rows.h"
#include "app/viewmodel/roofline.h"
#include "app/viewmodel/run_timeline.h"
#include "app/viewmodel/sample_strip.h"
#include "app/viewmodel/timing_bars.h"
#include "app/viewmodel/timing_distribution.h"
#include "app/viewmodel/timing_rows.h"
#include "app/wiring/grouped_counters.h"
#include "app/wiring/making.h"

#include <memory>
#include <tuple>
#include <vector>

namespace app {

// Wall times and numbers of a recording's tokens beside each other: a frame looks at each of them, however many there are.
struct WallStrip {
  std::vector<double> ns;
  std::vector<std::uint32_t> numbers;
  profiler::Outliers outliers;
};

struct TimingCache {
  using Newest = std::shared_ptr<const profiler::TokenTimes>;
  // More records than this are not looked at between two frames: about 4 ms.
  static constexpr std::size_t most_at_once = 30'000;

  Newest newest, shown;
  std::int64_t wanted = -1;  // the token that was asked for
  double refreshed_s = -1;
  int rows = 0;
  TimingTable table;
  bool table_made = false;  // false: its times are being made; its source and clock are there
  Kept<Newest, TimingTable> making_table;
  TokenTimeline timeline;
  StepBar median_bar, token_bar;
  std::vector<Newest> tokens;  // behind the medians, but of a recording: those are all of its own
  LiveTimes live;              // the same, taken apart
  bool live_whole = true;      // all of them are
  std::size_t records = 0;     // pieces of work of a recording

  // Made when they are drawn, from the tokens up to the one named beside them.
  Kept<std::tuple<Newest, ProfileRows>, std::vector<TimingTableRow>> table_rows;
  Kept<std::tuple<Newest, int, int>, TimingDistribution> distribution;  // of a stage, of a kind
  Kept<std::tuple<Newest, const StageCounters*, double>, Roofline> roofline;
  struct Counters {
    const StageCounters* of = nullptr;
    ProfileRows by = ProfileRows::kinds;
    std::vector<GroupCounters> rows;
  } counters;
  Kept<const RankFamily*, RankCurves> ranks;
  Kept<std::tuple<Newest, RecordOrder>, RecordRows> record_rows;
  Kept<Newest, RunTimeline> run;
  double run_made_s = -1;
  struct Samples {
    Newest of;
    const TokenSamples* from = nullptr;
    SampleStrip strip;             // of the shown token
    std::vector<PlacedStrip> all;  // of every token that was sampled; of a live model the shown one's
  } samples;
  Kept<Newest, WallStrip> strip;  // of a recorded profile
  Kept<Newest, std::vector<TimingTableRow>> layers;
};

}  // namespace app
