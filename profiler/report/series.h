// The time of something in every token: what distributions, outliers and comparisons are made of. Pure, any thread.
#pragma once

#include "profiler/report/statistics.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace profiler {

struct Series {
  std::vector<std::uint32_t> tokens;  // in which it ran, in the order of the measurement
  std::vector<double> times_ns;       // beside each
};

// Of groups of stages: `group_of_stage[id]` is the group of a stage, negative: none. A group's time in a token is the sum
// over its stages, by the clock that is asked for.
std::vector<Series> series_of(Tokens tokens, std::span<const int> group_of_stage, std::size_t group_count,
                              StageClock clock = StageClock::recorded, const GoesOn& goes_on = {});

// What the clock of these times tells apart: the smallest difference between two durations of pieces that is not 0. 0: they
// are all alike.
double clock_tick_ns(Tokens tokens);

// Of the whole step, begin to finished, and of the time in which nothing ran.
Series wall_series(Tokens tokens);
Series gaps_series(Tokens tokens);

}  // namespace profiler
