#include "app/viewmodel/compared_rows.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string>

namespace app {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

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
  std::vector<std::string> words;
  std::istringstream in{lower(filter)};
  for (std::string word; in >> word;) words.push_back(word);
  std::vector<int> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string name = lower(rows[i].name);
    if (significant_only && !significant(rows[i])) continue;
    if (std::all_of(words.begin(), words.end(),
                    [&](const std::string& word) { return name.find(word) != std::string::npos; }))
      out.push_back(static_cast<int>(i));
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
