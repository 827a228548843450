#include "profiler/report/statistics.h"

#include <algorithm>
#include <cmath>

namespace profiler {

namespace {

double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

Interval interval_of(const StageTime& piece) { return {piece.start_ns, piece.start_ns + piece.duration_ns}; }

// Time and number of pieces of each group in each token, -1 where it did not run.
struct Table {
  std::vector<std::vector<double>> times;  // (groups)(tokens in which it ran)
  std::vector<double> pieces;
  std::vector<std::uint32_t> names;
  std::vector<std::int64_t> longest;
  double wall = 0;
};

std::vector<StageStatistics> summarised(Table& table, std::size_t tokens) {
  std::vector<StageStatistics> out(table.times.size());
  for (std::size_t group = 0; group < out.size(); ++group) {
    double sum = 0;
    for (const double time : table.times[group]) sum += time;
    out[group].share = table.wall > 0 ? sum / table.wall : 0;
    out[group].pieces = tokens > 0 ? table.pieces[group] / static_cast<double>(tokens) : 0;
    out[group].name = table.names[group];
    out[group].time_ns = spread_of(std::move(table.times[group]));
  }
  return out;
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return spread_of_sorted(std::move(values));
}

Spread spread_of_sorted(std::vector<double> values) {
  Spread out;
  out.count = values.size();
  if (values.empty()) return out;
  out.min = values.front();
  out.p5 = percentile(values, 0.05);
  out.p25 = percentile(values, 0.25);
  out.median = percentile(values, 0.5);
  out.p75 = percentile(values, 0.75);
  out.p95 = percentile(values, 0.95);
  out.p99 = percentile(values, 0.99);
  out.max = values.back();
  for (const double value : values) out.mean += value / static_cast<double>(values.size());
  for (double& value : values) value = std::abs(value - out.median);
  std::sort(values.begin(), values.end());
  out.mad = percentile(values, 0.5);
  return out;
}

std::int64_t union_length(std::vector<Interval> intervals) {
  std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  std::int64_t length = 0;
  std::int64_t reached = INT64_MIN;
  for (const Interval& interval : intervals) {
    const std::int64_t begin = std::max(interval.begin, reached);
    if (interval.end > begin) {
      length += interval.end - begin;
      reached = interval.end;
    }
  }
  return length;
}

TokenAccount account(const TokenTimes& token, std::span<std::int64_t> stages) {
  std::fill(stages.begin(), stages.end(), 0);
  TokenAccount out;
  out.wall_ns = token.wall_ns;
  std::vector<Interval> all;
  all.reserve(token.stages.size());
  // Pieces in the order of their stages, so that each stage's are neighbours.
  std::vector<const StageTime*> order;
  order.reserve(token.stages.size());
  for (const StageTime& piece : token.stages) {
    order.push_back(&piece);
    all.push_back(interval_of(piece));
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const StageTime* a, const StageTime* b) { return a->tag.stage < b->tag.stage; });
  for (std::size_t first = 0; first < order.size();) {
    const std::uint16_t stage = order[first]->tag.stage;
    std::vector<Interval> own;
    std::size_t last = first;
    for (; last < order.size() && order[last]->tag.stage == stage; ++last) own.push_back(interval_of(*order[last]));
    const std::int64_t length = union_length(std::move(own));
    (stage >= unknown_stage ? out.between_ns : out.stages_ns) += length;
    if (stage < stages.size()) stages[stage] = length;
    first = last;
  }
  out.busy_ns = union_length(std::move(all));
  out.overlap_ns = out.stages_ns + out.between_ns - out.busy_ns;
  out.gaps_ns = std::max<std::int64_t>(0, out.wall_ns - out.busy_ns);
  return out;
}

std::int64_t added_times(const TokenTimes& token, std::span<std::int64_t> stages) {
  std::fill(stages.begin(), stages.end(), 0);
  std::vector<const StageTime*> order;
  order.reserve(token.stages.size());
  for (const StageTime& piece : token.stages) order.push_back(&piece);
  std::stable_sort(order.begin(), order.end(),
                   [](const StageTime* a, const StageTime* b) { return a->start_ns < b->start_ns; });
  std::int64_t outside = 0, reached = INT64_MIN;
  for (const StageTime* piece : order) {
    const std::int64_t end = piece->start_ns + piece->duration_ns;
    if (end <= reached) continue;
    (piece->tag.stage < stages.size() ? stages[piece->tag.stage] : outside) += end - std::max(reached, piece->start_ns);
    reached = end;
  }
  return outside;
}

void stage_times(const TokenTimes& token, StageClock clock, std::span<std::int64_t> stages) {
  if (clock == StageClock::recorded)
    account(token, stages);
  else
    added_times(token, stages);
}

StageClock clock_for(Tokens tokens, const GoesOn& goes_on) {
  double busy = 0, sum = 0;
  for (std::size_t t = 0; t < tokens.size() && goes_on_at(goes_on, t, tokens.size()); ++t) {
    const auto& token = tokens[t];
    std::vector<Interval> pieces;
    pieces.reserve(token->stages.size());
    for (const StageTime& piece : token->stages) {
      pieces.push_back(interval_of(piece));
      sum += static_cast<double>(piece.duration_ns);
    }
    busy += static_cast<double>(union_length(std::move(pieces)));
  }
  return clock_for(busy, sum);
}

StageClock clock_for(double busy_ns, double pieces_ns) {
  constexpr double overlap_share = 0.01;
  return pieces_ns - busy_ns >= overlap_share * busy_ns && busy_ns > 0 ? StageClock::waiting_out : StageClock::recorded;
}

Statistics statistics_of(Tokens tokens, std::size_t stage_count) {
  Statistics out;
  std::vector<int> own(stage_count);
  for (std::size_t stage = 0; stage < stage_count; ++stage) own[stage] = static_cast<int>(stage);
  out.stages = grouped(tokens, own, stage_count);
  out.step = step_statistics(tokens);
  return out;
}

StepStatistics step_statistics(Tokens tokens, const GoesOn& goes_on) {
  std::vector<TokenAccount> accounts;
  accounts.reserve(tokens.size());
  for (std::size_t t = 0; t < tokens.size() && goes_on_at(goes_on, t, tokens.size()); ++t)
    accounts.push_back(account(*tokens[t], {}));
  return statistics_of(accounts);
}

StepStatistics statistics_of(std::span<const TokenAccount> tokens) {
  std::vector<double> wall, stages, between, busy, overlap, gaps;
  for (const TokenAccount& parts : tokens) {
    wall.push_back(static_cast<double>(parts.wall_ns));
    stages.push_back(static_cast<double>(parts.stages_ns));
    between.push_back(static_cast<double>(parts.between_ns));
    busy.push_back(static_cast<double>(parts.busy_ns));
    overlap.push_back(static_cast<double>(parts.overlap_ns));
    gaps.push_back(static_cast<double>(parts.gaps_ns));
  }
  return {spread_of(std::move(wall)), spread_of(std::move(stages)),  spread_of(std::move(between)),
          spread_of(std::move(busy)), spread_of(std::move(overlap)), spread_of(std::move(gaps))};
}

std::vector<StageStatistics> grouped(Tokens tokens, std::span<const int> group_of_stage, std::size_t group_count,
                                     StageClock clock, const GoesOn& goes_on) {
  Table table;
  table.times.resize(group_count);
  table.pieces.resize(group_count);
  table.names.resize(group_count);
  table.longest.resize(group_count, -1);
  std::vector<std::int64_t> stages(group_of_stage.size());
  std::vector<double> sums(group_count);
  std::vector<bool> ran(group_count);
  const auto group_of = [&](std::uint16_t stage) {
    return stage < group_of_stage.size() && group_of_stage[stage] >= 0 ? group_of_stage[stage] : -1;
  };
  for (std::size_t t = 0; t < tokens.size() && goes_on_at(goes_on, t, tokens.size()); ++t) {
    const auto& token = tokens[t];
    stage_times(*token, clock, stages);
    table.wall += static_cast<double>(token->wall_ns);
    std::fill(sums.begin(), sums.end(), 0);
    std::fill(ran.begin(), ran.end(), false);
    for (const StageTime& piece : token->stages) {
      const int group = group_of(piece.tag.stage);
      if (group < 0) continue;
      const auto at = static_cast<std::size_t>(group);
      ran[at] = true;
      table.pieces[at] += 1;
      if (piece.duration_ns > table.longest[at]) {
        table.longest[at] = piece.duration_ns;
        table.names[at] = piece.name;
      }
    }
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
      const int group = group_of(static_cast<std::uint16_t>(stage));
      if (group >= 0) sums[static_cast<std::size_t>(group)] += static_cast<double>(stages[stage]);
    }
    for (std::size_t group = 0; group < group_count; ++group) {
      if (ran[group]) table.times[group].push_back(sums[group]);
    }
  }
  return summarised(table, tokens.size());
}

}  // namespace profiler
