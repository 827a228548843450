// Kinds of stages on a roofline: how much they compute for each byte that the plan counts, and how fast they did. Pure.
// Williams, Waterman and Patterson (2009); the roof is the copy rate that was measured, no figure of a data sheet.
#pragma once

#include "app/viewmodel/timing_rows.h"
#include "app/wiring/grouped_counters.h"

#include <string>
#include <vector>

namespace app {

struct RooflinePoint {
  std::string name;
  int kind = -1;           // engine::StageKind; -1: the whole step
  double intensity = 0;    // flops for each byte
  double gflop_per_s = 0;  // flops of the plan over the median time
  double median_us = 0, gb_per_s = 0;
  double counted_intensity =
      0;               // flops for each byte that the memory really moved, by hardware counters; 0: not counted
  double of_roof = 0;  // share of what the copy rate allows at this intensity; 0: no copy rate known
};

struct Roofline {
  std::vector<RooflinePoint> points;  // those with flops and a time; the whole step last
  double copy_gb_per_s = 0;           // 0: not measured
  double best_gb_per_s = 0;           // of the points
  double peak_gflop_per_s = 0;        // fp32, of the device's properties; 0: not known
  // Limits that hold all of it, as decades' parts: x in flops for each byte, y in GFLOP/s. Positive.
  double x_low = 0.1, x_high = 10, y_low = 1, y_high = 10;
};
// `wall_us`: the median of a step. `peak_flops_per_second`: the device's fp32 peak; 0: not known, and no roof.
Roofline make_roofline(const std::vector<TimingTableRow>& kinds, double wall_us, double copy_bytes_per_second,
                       double peak_flops_per_second = 0);
// Adds the intensities that the counters of the same plan give; `by_kind` is grouped by kind.
void add_counted(Roofline& roofline, const StageCounters& counters, const std::vector<GroupCounters>& by_kind);

}  // namespace app
