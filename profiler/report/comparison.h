// Whether two measurements of the same thing differ, and by how much: a rank test, a correction for asking it of many rows,
// and an interval for the ratio. Pure and deterministic, any thread.
//
// The times of one run are not independent of each other: clocks drift, neighbours come and go. A small p says that the two
// runs differ, not that what ran was changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace profiler {

struct RankTest {
  double u = 0;  // of the first sample: pairs in which it is the larger, ties counted half
  double p = 1;  // two-sided
  bool exact = false;
};
// Mann and Whitney (1947). Exact for at most 20 values each without ties, else by the normal approximation with corrections
// for ties and continuity. p = 1 for an empty sample or where all values are equal.
RankTest mann_whitney(std::span<const double> first, std::span<const double> second);

// The smallest p that samples of these sizes, neither empty, can give: when all values of one lie above all of the other's.
double least_p(std::size_t first, std::size_t second);

// Holm (1979): p values adjusted so that the chance of one false alarm among all of them stays below the level that they
// are held against. In the order given.
std::vector<double> holm(std::span<const double> p);

struct RatioInterval {
  double ratio = 0;          // of the medians, second over first; 0: the first is 0 or a sample is empty
  double low = 0, high = 0;  // percentile bootstrap, `confidence` between them; 0: a sample of one value has none
};
// Resamples blocks of neighbours, n^(1/3) long, with wrap-around, so that drift within a run widens the interval. `resamples`
// times from `seed`; the same numbers on every machine.
RatioInterval ratio_of_medians(std::span<const double> first, std::span<const double> second, std::uint64_t seed,
                               int resamples = 2000, double confidence = 0.95);

}  // namespace profiler
