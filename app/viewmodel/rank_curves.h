// What the rank comparison draws from a family of profiles: the time of each kind of stage against the rank, and the ranks as
// a path over the roofline, with the paper's intensity beside the executed one. Pure; times in microseconds.
#pragma once

#include "app/wiring/profile_groups.h"
#include "app/wiring/rank_family.h"

#include <string>
#include <vector>

namespace app {

struct RankPoint {
  int rank = 1;
  double median_us = 0, p5_us = 0, p95_us = 0;  // of a token
};
struct RankCurve {
  std::string name;
  int kind = -1;                  // engine::StageKind; -1: the whole step
  std::vector<RankPoint> points;  // of the ranks that have such stages, with a time
};

// The recurrence of one rank: state_update and readout, or the mixer.
struct RankPathPoint {
  int rank = 1;
  double executed = 0, paper = 0;  // flops for each byte
  double gflop_per_s = 0, gb_per_s = 0, median_us = 0;
  bool verified = false;
};

struct RankCurves {
  std::vector<RankCurve> curves;                   // in the order of the plan with the most kinds; the whole step last
  std::vector<RankPathPoint> path;                 // by rising rank
  double copy_gb_per_s = 0, peak_gflop_per_s = 0;  // 0: not known
  std::string peak_source;
  bool waiting_out = false;  // the times leave out what kernels wait for each other
};

RankCurves make_rank_curves(const RankFamily& family, const profiler::GoesOn& goes_on = {});

}  // namespace app
