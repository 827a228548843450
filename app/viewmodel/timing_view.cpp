#include "app/viewmodel/timing_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr double us_per_ns = 1e-3;

int layers_of(const engine::StepPlan& plan) {
  int layers = 0;
  for (const engine::Stage& stage : plan.stages) layers = std::max(layers, stage.layer + 1);
  return layers;
}

std::string row_label(int first, int last) {
  return first == last ? fmt::format("layer {}", first) : fmt::format("layer {}–{}", first, last);
}

}  // namespace

TokenTimeline make_timeline(const engine::StepPlan& plan, const profiler::TokenTimes& times, int most_rows) {
  TokenTimeline timeline;
  timeline.token = times.token;
  timeline.source = times.source;
  std::vector<std::int64_t> stage_ns(plan.stages.size());
  const profiler::TokenAccount account = profiler::account(times, stage_ns);
  timeline.wall_us = static_cast<double>(account.wall_ns) * us_per_ns;
  timeline.stages_us = static_cast<double>(account.stages_ns) * us_per_ns;
  timeline.gaps_us = static_cast<double>(account.gaps_ns) * us_per_ns;

  const int layers = layers_of(plan);
  const int groups = std::max(1, std::min(layers, std::max(2, most_rows) - 1));
  const int per_group = std::max(1, (layers + groups - 1) / groups);
  const int used = (layers + per_group - 1) / per_group;  // 0 where every stage lies outside the layers
  std::vector<std::int64_t> row_start(static_cast<std::size_t>(used) + 1, -1);
  for (int g = 0; g < used; ++g)
    timeline.rows.push_back({row_label(g * per_group, std::min(layers, (g + 1) * per_group) - 1), {}, 0, 0});
  timeline.rows.push_back({"rest", {}, 0, 0});

  bool in_layers = false;
  for (const profiler::StageTime& time : times.stages) {
    if (time.tag.stage >= plan.stages.size()) continue;
    const engine::Stage& stage = plan.stages[time.tag.stage];
    in_layers = in_layers || stage.layer >= 0;
    const std::size_t row = stage.layer >= 0 ? static_cast<std::size_t>(stage.layer / per_group)
                            : in_layers      ? static_cast<std::size_t>(used)
                                             : 0;
    if (row_start[row] < 0) {
      row_start[row] = time.start_ns;
      timeline.rows[row].offset_us = static_cast<double>(time.start_ns - times.stages.front().start_ns) * us_per_ns;
    }
    TimingBar bar{stage.id,
                  static_cast<int>(stage.kind),
                  stage.layer,
                  static_cast<double>(time.start_ns - row_start[row]) * us_per_ns,
                  static_cast<double>(time.duration_ns) * us_per_ns,
                  time.name};
    timeline.rows[row].length_us = std::max(timeline.rows[row].length_us, bar.start_us + bar.duration_us);
    timeline.rows[row].bars.push_back(bar);
  }
  for (const TimingRow& row : timeline.rows) timeline.longest_row_us = std::max(timeline.longest_row_us, row.length_us);
  return timeline;
}

TimingTable make_timing_table(const engine::StepPlan& plan, profiler::Tokens tokens) {
  return make_timing_table(plan, CountedTimes(tokens));
}

TimingTable make_timing_table(const engine::StepPlan& plan, const MeasuredTimes& times) {
  TimingTable table;
  table.tokens = times.count();
  if (table.tokens > 0) table.source = times.source();
  std::vector<int> group_of_stage(plan.stages.size(), -1);
  for (const engine::Stage& stage : plan.stages) {
    const int kind = static_cast<int>(stage.kind);
    auto known =
        std::find_if(table.kinds.begin(), table.kinds.end(), [&](const KindTimes& k) { return k.kind == kind; });
    if (known == table.kinds.end()) {
      table.kinds.push_back({kind, 0, 0, 0, 0, 0, 0});
      known = table.kinds.end() - 1;
    }
    ++known->stages;
    known->bytes += stage.cost.bytes();
    table.bytes += stage.cost.bytes();
    group_of_stage[static_cast<std::size_t>(stage.id)] = static_cast<int>(known - table.kinds.begin());
  }
  if (table.tokens == 0) return table;
  const profiler::StepStatistics step = times.step();
  table.wall_us = step.wall.median * us_per_ns;
  table.wall_spread_us = step.wall.mad * us_per_ns;
  table.stages_us = step.stages.median * us_per_ns;
  table.between_us = step.between.median * us_per_ns;
  table.between_spread_us = step.between.mad * us_per_ns;
  table.gaps_us = step.gaps.median * us_per_ns;
  table.gaps_spread_us = step.gaps.mad * us_per_ns;
  table.clock = times.clock();
  std::vector<profiler::Series> groups = times.groups(group_of_stage, table.kinds.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    KindTimes& kind = table.kinds[i];
    const profiler::Spread time_ns = profiler::spread_of(std::move(groups[i].times_ns));
    kind.median_us = time_ns.median * us_per_ns;
    kind.spread_us = time_ns.mad * us_per_ns;
    // Of medians: the first, cold token would swallow a share of sums.
    kind.share = table.wall_us > 0 ? kind.median_us / table.wall_us : 0;
    if (time_ns.median > 0) kind.gb_per_s = static_cast<double>(kind.bytes) / time_ns.median;
  }
  return table;
}

std::string three_digits(double value) {
  if (!std::isfinite(value)) return "–";
  const double size = std::abs(value);
  if (size >= 1e6) return fmt::format("{:.1e}", value);
  if (value > 0 && value < 5e-3) return "<0.01";  // "0.00" would claim that there is nothing
  return size >= 100  ? fmt::format("{:.0f}", value)
         : size >= 10 ? fmt::format("{:.1f}", value)
                      : fmt::format("{:.2f}", value);
}

}  // namespace app
