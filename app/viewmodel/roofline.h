// Kinds of stages on a roofline: how much they compute for each byte that the plan counts, and how fast they did. Pure.
// Williams, Waterman and Patterson (2009); the roof is the copy rate that was measured, no figure of a data sheet.
#pragma once

#include "app/viewmodel/timing_rows.h"

#include <string>
#include <vector>

namespace app {

struct RooflinePoint {
  std::string name;
  int kind = -1;           // engine::StageKind; -1: the whole step
  double intensity = 0;    // flops for each byte
  double gflop_per_s = 0;  // flops of the plan over the median time
  double median_us = 0, gb_per_s = 0;
  double of_roof = 0;  // share of what the copy rate allows at this intensity; 0: no copy rate known
};

struct Roofline {
  std::vector<RooflinePoint> points;  // those with flops and a time; the whole step last
  double copy_gb_per_s = 0;           // 0: not measured
  double best_gb_per_s = 0;           // of the points
  // Limits that hold all of it, as decades' parts: x in flops for each byte, y in GFLOP/s. Positive.
  double x_low = 0.1, x_high = 10, y_low = 1, y_high = 10;
};
// `wall_us`: the median of a step.
Roofline make_roofline(const std::vector<TimingTableRow>& kinds, double wall_us, double copy_bytes_per_second);

}  // namespace app
