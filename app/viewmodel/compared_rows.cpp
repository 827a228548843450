#include "app/viewmodel/compared_rows.h"

#include "app/viewmodel/word_filter.h"

#include <algorithm>

namespace app {
namespace {

double value_of(const ComparedRow& row, ComparedColumn column) {
  switch (column) {
    case ComparedColumn::median_a:
      return row.median_a_us;
    case ComparedColumn::median_b:
      return row.median_b_us;
    case ComparedColumn::ratio:
      return row.ratio.ratio;
    case ComparedColumn::interval:
      return row.ratio.low;
    case ComparedColumn::p:
      return row.adjusted_p;
    case ComparedColumn::verdict:
      return static_cast<double>(row.verdict);
    case ComparedColumn::name:
      break;
  }
  return 0;
}

bool significant(const ComparedRow& row) {
  return row.verdict == Verdict::faster || row.verdict == Verdict::slower || row.verdict == Verdict::regression;
}

}  // namespace

std::vector<int> arranged(const std::vector<ComparedRow>& rows, std::string_view filter, bool significant_only,
                          int column, bool descending) {
  const WordFilter named(filter);
  std::vector<int> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (significant_only && !significant(rows[i])) continue;
    if (named.takes(rows[i].name)) out.push_back(static_cast<int>(i));
  }
  if (column < 0 || column > static_cast<int>(ComparedColumn::verdict)) return out;
  const auto by = static_cast<ComparedColumn>(column);
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) {
    const ComparedRow &of_a = rows[static_cast<std::size_t>(a)], &of_b = rows[static_cast<std::size_t>(b)];
    const bool lone_a = of_a.verdict == Verdict::unlike, lone_b = of_b.verdict == Verdict::unlike;
    if (lone_a != lone_b) return lone_b;
    const ComparedRow &first = descending ? of_b : of_a, &second = descending ? of_a : of_b;
    return by == ComparedColumn::name ? first.name < second.name : value_of(first, by) < value_of(second, by);
  });
  return out;
}

}  // namespace app
