#include "app/viewmodel/timing_distribution.h"

#include <fmt/format.h>

namespace app {

namespace {
constexpr std::size_t most_bins = 48;
}

TimingDistribution make_timing_distribution(const engine::StepPlan& plan, profiler::Tokens tokens, int stage,
                                            int kind) {
  return make_timing_distribution(plan, CountedTimes(tokens), stage, kind);
}

TimingDistribution make_timing_distribution(const engine::StepPlan& plan, const MeasuredTimes& times, int stage,
                                            int kind) {
  TimingDistribution out;
  profiler::Series series;
  std::vector<int> group(plan.stages.size(), -1);
  const bool of_stage = stage >= 0 && static_cast<std::size_t>(stage) < plan.stages.size();
  if (of_stage) {
    const engine::Stage& chosen = plan.stages[static_cast<std::size_t>(stage)];
    group[static_cast<std::size_t>(stage)] = 0;
    out.kind = static_cast<int>(chosen.kind);
    out.title = chosen.layer >= 0 ? fmt::format("{} of layer {}", engine::name_of(chosen.kind), chosen.layer)
                                  : engine::name_of(chosen.kind);
  } else if (kind >= 0 && kind < engine::stage_kind_count) {
    for (const engine::Stage& each : plan.stages)
      if (static_cast<int>(each.kind) == kind) group[static_cast<std::size_t>(each.id)] = 0;
    out.kind = kind;
    out.title = engine::name_of(static_cast<engine::StageKind>(kind));
  } else {
    out.title = "whole step";
  }
  out.waiting_out = out.kind >= 0 && times.clock() == profiler::StageClock::waiting_out;
  series = out.kind < 0 ? times.wall() : times.groups(group, 1).front();
  profiler::Distribution all = profiler::distribution_of(series, most_bins);
  const profiler::Spread& spread = all.spread;
  out.tokens = spread.count;
  out.median_us = spread.median / 1e3;
  out.p5_us = spread.p5 / 1e3;
  out.p25_us = spread.p25 / 1e3;
  out.p75_us = spread.p75 / 1e3;
  out.p95_us = spread.p95 / 1e3;
  out.max_us = spread.max / 1e3;
  const profiler::Histogram& histogram = all.histogram;
  out.above = static_cast<double>(histogram.above);
  out.low_us = histogram.low_ns / 1e3;
  out.width_us = histogram.width_ns / 1e3;
  for (const std::size_t count : histogram.counts) out.counts.push_back(static_cast<double>(count));
  profiler::Outliers& outliers = all.outliers;
  out.limit_us = outliers.limit_ns / 1e3;
  out.outliers = std::move(outliers.found);
  return out;
}

}  // namespace app
