// Two profiles beside each other: by kind, layer or stage how their times differ, whether that can be chance, and how sure
// the ratio is. Pure.
#pragma once

#include "app/wiring/profile_groups.h"
#include "app/wiring/profile_result.h"
#include "profiler/report/comparison.h"
#include "profiler/report/statistics.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

// Adjusted p values below it count as a difference.
inline constexpr double significance_level = 0.01;

enum class Verdict {
  unlike,      // only one of the two has this row, or it has no times
  too_few,     // so few tokens that no difference could have been shown, however large
  no_change,   // no difference could be shown
  below_tick,  // the medians differ by less than the clock tells apart
  faster,      // the second is, significantly
  slower,      // the second is, significantly, but not surely by more than the threshold
  regression   // the second is, significantly, and the whole interval of the ratio lies above the threshold
};
const char* name_of(Verdict verdict);

struct ComparedRow {
  std::string name;  // "whole step" first, then the groups
  int kind = -1, layer = -1;
  std::size_t tokens_a = 0, tokens_b = 0;
  double median_a_us = 0, median_b_us = 0;
  profiler::RatioInterval ratio;  // b over a
  double p = 1, adjusted_p = 1;   // Mann-Whitney; adjusted over the rows by Holm's method
  Verdict verdict = Verdict::unlike;
};

struct ProfileComparison {
  std::vector<ComparedRow> rows;
  double gaps_a_us = 0, gaps_b_us = 0;  // medians of the time in which nothing ran
  double tick_us = 0;                   // what the coarser of the two clocks tells apart
  double threshold = 0.05;
  // Of both sides, and chosen by both: waiting is left out where either has kernels that overlap.
  profiler::StageClock clock = profiler::StageClock::recorded;
  bool regressed() const;
  bool too_few_tokens() const;  // for the whole step's row, among so many
};

inline constexpr const char* gaps_name = "gaps";
// The gaps as a row: medians and their ratio, outside of the test, for what they hold is in the whole step's row.
ComparedRow gaps_row(const ProfileComparison& comparison, std::size_t tokens_a, std::size_t tokens_b);

// Of two variants: kinds that only one of them has, whose work lies in rows of other names in the other. Empty: nothing of that.
std::string work_elsewhere(const ProfileResult& a, const ProfileResult& b);

// What keeps the two from being compared: another shape, batch, type of weights or source of times. Empty: nothing.
std::vector<std::string> why_not_comparable(const ProfileResult& a, const ProfileResult& b);
// What differs and may well be what is compared: device, variant, graph, state, threads, program.
std::vector<std::string> differences(const ProfileResult& a, const ProfileResult& b);

// `threshold` is a share: 0.05 for 5 %. Groups are paired by name, layer and order. Deterministic for a seed.
ProfileComparison compare_profiles(const ProfileResult& a, const ProfileResult& b, ProfileRows rows, double threshold,
                                   std::uint64_t seed, const profiler::GoesOn& goes_on = {});

}  // namespace app
