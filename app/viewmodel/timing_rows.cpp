#include "app/viewmodel/timing_rows.h"

#include "app/viewmodel/word_filter.h"
#include "profiler/report/distribution.h"

#include <algorithm>

namespace app {
namespace {

double value_of(const TimingTableRow& row, TimingColumn column) {
  switch (column) {
    case TimingColumn::median:
      return row.median_us;
    case TimingColumn::spread:
      return row.spread_us;
    case TimingColumn::bytes:
      return static_cast<double>(row.group.cost.bytes());
    case TimingColumn::rate:
      return row.gb_per_s;
    case TimingColumn::share:
      return row.share;
    case TimingColumn::name:
      break;
  }
  return 0;
}

}  // namespace

std::vector<TimingTableRow> make_timing_rows(const engine::StepPlan& plan, profiler::Tokens tokens, ProfileRows rows) {
  return make_timing_rows(plan, CountedTimes(tokens), rows);
}

std::vector<TimingTableRow> make_timing_rows(const engine::StepPlan& plan, const MeasuredTimes& times,
                                             ProfileRows rows) {
  Grouping groups = grouping(plan, rows);
  const auto series = times.groups(groups.of_stage, groups.groups.size());
  const double wall_us = profiler::spread_of(times.wall().times_ns).median / 1e3;
  std::vector<TimingTableRow> out;
  for (std::size_t i = 0; i < groups.groups.size(); ++i) {
    TimingTableRow row;
    row.group = std::move(groups.groups[i]);
    const profiler::Distribution all = profiler::distribution_of(series[i], 0);
    const profiler::Spread& spread = all.spread;
    row.tokens = spread.count;
    row.median_us = spread.median / 1e3;
    row.spread_us = spread.mad / 1e3;
    row.p95_us = spread.p95 / 1e3;
    row.share = wall_us > 0 ? row.median_us / wall_us : 0;
    row.outliers = all.outliers.found.size();
    if (spread.median > 0) {
      row.gb_per_s = static_cast<double>(row.group.cost.bytes()) / spread.median;
      row.gflop_per_s = static_cast<double>(row.group.cost.flops) / spread.median;
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::vector<int> arranged(const std::vector<TimingTableRow>& rows, std::string_view filter, int column,
                          bool descending) {
  const WordFilter named(filter);
  std::vector<int> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (named.takes(full_name(rows[i].group))) out.push_back(static_cast<int>(i));
  }
  if (column < 0 || column > static_cast<int>(TimingColumn::share)) return out;
  const auto by = static_cast<TimingColumn>(column);
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) {
    const TimingTableRow &of_a = rows[static_cast<std::size_t>(descending ? b : a)],
                         &of_b = rows[static_cast<std::size_t>(descending ? a : b)];
    return by == TimingColumn::name ? of_a.group.name < of_b.group.name : value_of(of_a, by) < value_of(of_b, by);
  });
  return out;
}

}  // namespace app
