#include "app/viewmodel/timing_bars.h"

#include <algorithm>
#include <cmath>

namespace app {
namespace {

void append(StepBar& bar, BarPart part) {
  if (!(part.length_us > 0)) return;
  part.start_us = bar.end_us;
  part.share = bar.wall_us > 0 ? part.length_us / bar.wall_us : 0;
  part.gb_per_s = static_cast<double>(part.bytes) / part.length_us * 1e-3;
  bar.end_us += part.length_us;
  bar.parts.push_back(part);
}

BarPart part_of(const KindTimes& kind, double length_us) {
  return {kind.kind, kind.stages, 0, length_us, kind.median_us, kind.spread_us, kind.bytes, 0, 0};
}

}  // namespace

StepBar make_median_bar(const TimingTable& table) {
  StepBar bar;
  bar.tokens = table.tokens;
  bar.wall_us = table.wall_us;
  bar.wall_spread_us = table.wall_spread_us;
  if (!(table.stages_us > 0)) return bar;
  for (const KindTimes& kind : table.kinds) append(bar, part_of(kind, kind.median_us));
  append(bar, {other_work, 0, 0, table.between_us, table.between_us, table.between_spread_us, 0, 0, 0});
  append(bar, {nothing_ran, 0, 0, table.gaps_us, table.gaps_us, table.gaps_spread_us, 0, 0, 0});
  return bar;
}

StepBar make_token_bar(const engine::StepPlan& plan, const profiler::TokenTimes& times, const TimingTable& table) {
  StepBar bar;
  bar.token = times.token;
  bar.tokens = table.tokens;
  std::vector<std::int64_t> stage_ns(plan.stages.size());
  const profiler::TokenAccount account = profiler::account(times, stage_ns);
  const auto us = [](std::int64_t ns) { return static_cast<double>(ns) * 1e-3; };
  bar.wall_us = us(account.wall_ns);
  bar.wall_spread_us = table.wall_spread_us;
  if (times.stages.empty()) return bar;
  profiler::stage_times(times, table.clock, stage_ns);
  for (const KindTimes& kind : table.kinds) {
    std::int64_t sum = 0;
    for (const engine::Stage& stage : plan.stages)
      if (static_cast<int>(stage.kind) == kind.kind) sum += stage_ns[static_cast<std::size_t>(stage.id)];
    append(bar, part_of(kind, us(sum)));
  }
  append(bar, {other_work, 0, 0, us(account.between_ns), table.between_us, table.between_spread_us, 0, 0, 0});
  append(bar, {nothing_ran, 0, 0, us(account.gaps_ns), table.gaps_us, table.gaps_spread_us, 0, 0, 0});
  return bar;
}

std::optional<OffMedian> off_median(const StepBar& token, double median_wall_us) {
  OffMedian off;
  off.us = token.wall_us - median_wall_us;
  if (!(median_wall_us > 0) || std::abs(off.us) <= 0.1 * median_wall_us) return {};
  const double sign = off.us < 0 ? -1 : 1;
  for (const BarPart& part : token.parts) {
    const double us = part.length_us - part.median_us;
    if (sign * us > sign * off.part_us) off.kind = part.kind, off.part_us = us;
  }
  if (off.part_us == 0) return {};
  return off;
}

const BarPart* part_at(const StepBar& bar, double us) {
  const auto found = std::find_if(bar.parts.begin(), bar.parts.end(), [&](const BarPart& part) {
    return us >= part.start_us && us < part.start_us + part.length_us;
  });
  return found == bar.parts.end() ? nullptr : &*found;
}

double steady_axis_end(double longest_us, double free_share, double now_us) {
  if (!(longest_us > 0) || !std::isfinite(longest_us)) return now_us > 0 ? now_us : 1;
  const double needed = longest_us / (1 - std::clamp(free_share, 0.0, 0.8));
  if (now_us >= needed && now_us <= 2 * needed) return now_us;
  // Two digits: finer than the ticks, coarse enough to rest.
  const double unit = std::pow(10, std::floor(std::log10(needed)) - 1);
  return std::ceil(needed / unit * (1 - 1e-12)) * unit;
}

}  // namespace app
