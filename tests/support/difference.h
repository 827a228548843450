// How far values are from their reference, as one number for a check and a message.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace tests {

struct Difference {
  double max_abs = 0;
  double max_rel = 0;  // over the largest absolute reference value
  double nmse = 0;     // sum of squared differences over sum of squared reference values
};

// Infinite where sizes differ or a value is not finite.
template <class T, class U>
Difference difference(const std::vector<T>& values, const std::vector<U>& reference) {
  const double infinity = std::numeric_limits<double>::infinity();
  if (values.size() != reference.size()) return {infinity, infinity, infinity};
  double largest = 0, squares = 0, wrong = 0, worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double r = static_cast<double>(reference[i]);
    const double off = static_cast<double>(values[i]) - r;
    if (!std::isfinite(off)) return {infinity, infinity, infinity};
    worst = std::max(worst, std::fabs(off));
    largest = std::max(largest, std::fabs(r));
    wrong += off * off;
    squares += r * r;
  }
  if (worst == 0) return {};
  return {worst, worst / largest, wrong / squares};
}

}  // namespace tests
