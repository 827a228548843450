// How times are distributed over tokens: quantiles, a histogram, and the tokens that stand out, by a rule that is written
// down. Pure, any thread.
#pragma once

#include "profiler/report/series.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace profiler {

// By linear interpolation between the closest ranks; `share` in [0, 1]. 0 for no values.
double quantile(std::span<const double> values, double share);

// A token stands out where its time lies more than `outlier_sigmas` sigmas above the median. Sigma is 1.4826 times the median
// absolute deviation, as for normally distributed times, and at least 1 % of the median and the smallest difference between
// two times: stages that always take as long, or a clock that ticks coarsely, would make an outlier of every tick else.
inline constexpr double outlier_sigmas = 5;

struct Outlier {
  std::uint32_t token = 0;
  double time_ns = 0;
  double sigmas = 0;  // above the median
};
struct Outliers {
  double median_ns = 0, sigma_ns = 0, limit_ns = 0;
  std::vector<Outlier> found;  // the longest first
};
Outliers outliers_of(const Series& series);

// Bin i counts values in [low + i width, low + (i + 1) width); the last one takes its upper end, too.
struct Histogram {
  double low_ns = 0, width_ns = 0;
  std::vector<std::size_t> counts;
  std::size_t above = 0;  // outliers beyond the last bin
};
// Bins of the width of Freedman and Diaconis (2 IQR / n^(1/3)), at most `most_bins`, from the smallest value to the largest
// that is no outlier. Widths are multiples of the smallest difference between values, so that a clock's ticks make no comb.
Histogram histogram_of(const Series& series, std::size_t most_bins);

// All of it from one sorting.
struct Distribution {
  Spread spread;
  Outliers outliers;
  Histogram histogram;
};
Distribution distribution_of(const Series& series, std::size_t most_bins);

}  // namespace profiler
