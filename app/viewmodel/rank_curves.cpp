#include "app/viewmodel/rank_curves.h"

#include "profiler/report/series.h"

#include <algorithm>

namespace app {

namespace {

RankPoint point_of(int rank, const profiler::Series& series) {
  const profiler::Spread spread = profiler::spread_of(series.times_ns);
  return {rank, spread.median / 1e3, spread.p5 / 1e3, spread.p95 / 1e3};
}

void add(RankCurves& out, const std::string& name, int kind, const RankPoint& point) {
  if (!(point.median_us > 0)) return;
  auto curve =
      std::find_if(out.curves.begin(), out.curves.end(), [&](const RankCurve& known) { return known.kind == kind; });
  if (curve == out.curves.end()) curve = out.curves.insert(out.curves.end(), RankCurve{name, kind, {}});
  curve->points.push_back(point);
}

RankPathPoint path_point(const RankRun& run, profiler::StageClock clock) {
  RankPathPoint out;
  out.rank = run.rank;
  out.verified = run.verified();
  out.paper = paper_intensity(run.config);
  out.executed = executed_intensity(run.result.plan);
  std::vector<int> group;
  for (const engine::Stage& stage : run.result.plan.stages) group.push_back(of_recurrence(stage.kind) ? 0 : -1);
  const auto series = profiler::series_of(run.result.tokens, group, 1, clock);
  const double ns = profiler::spread_of(series.front().times_ns).median;
  const kernels::Cost cost = recurrence_cost(run.result.plan);
  out.median_us = ns / 1e3;
  if (ns > 0) {
    out.gflop_per_s = static_cast<double>(cost.flops) / ns;
    out.gb_per_s = static_cast<double>(cost.bytes()) / ns;
  }
  return out;
}

}  // namespace

RankCurves make_rank_curves(const RankFamily& family, const profiler::GoesOn& goes_on) {
  RankCurves out;
  const profiler::StageClock clock = clock_for(family.runs);
  out.waiting_out = clock == profiler::StageClock::waiting_out;
  const auto runs = static_cast<double>(family.runs.size());
  for (const RankRun& run : family.runs) {
    const auto place = static_cast<double>(&run - family.runs.data());
    const profiler::GoesOn of_run = profiler::part_of(goes_on, place / runs, (place + 0.9) / runs);
    if (of_run && !of_run(0)) break;
    const Grouping groups = grouping(run.result.plan, ProfileRows::kinds);
    const auto series = profiler::series_of(run.result.tokens, groups.of_stage, groups.groups.size(), clock, of_run);
    for (std::size_t i = 0; i < groups.groups.size(); ++i)
      add(out, groups.groups[i].name, groups.groups[i].kind, point_of(run.rank, series[i]));
    out.path.push_back(path_point(run, clock));
    out.copy_gb_per_s = std::max(out.copy_gb_per_s, run.result.copy_bytes_per_second / 1e9);
    out.peak_gflop_per_s = std::max(out.peak_gflop_per_s, run.result.backend.fp32_flops_per_second / 1e9);
    out.peak_source = run.result.backend.peak_source;
  }
  std::stable_sort(out.curves.begin(), out.curves.end(),
                   [](const RankCurve& a, const RankCurve& b) { return a.kind < b.kind; });
  for (const RankRun& run : family.runs)
    add(out, "whole step", -1, point_of(run.rank, profiler::wall_series(run.result.tokens)));
  return out;
}

}  // namespace app
