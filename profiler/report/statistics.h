// What the times of some tokens say: pure functions on values. A stage is a number; whoever calls knows what it means.
// Intervals are joined before they are added up, so that work which overlaps is not counted twice. Any thread.
#pragma once

#include "profiler/activity/stage_time.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace profiler {

// Of functions that look at every record, of which there may be millions: told now and then what share (0..1) of the tokens is
// done. Where it answers no, the function returns early, and what it returns says nothing. Empty: nobody asks.
using GoesOn = std::function<bool(double)>;

// Percentiles by linear interpolation between the closest ranks, of `count` values; all 0 when there are none.
struct Spread {
  std::size_t count = 0;
  double min = 0, p5 = 0, p25 = 0, median = 0, p75 = 0, p95 = 0, p99 = 0, max = 0;
  double mean = 0;
  double mad = 0;  // median absolute deviation from the median
};
Spread spread_of(std::vector<double> values);
Spread spread_of_sorted(std::vector<double> rising);

struct Interval {
  std::int64_t begin = 0, end = 0;
};
// Length of the union of the intervals, in their unit.
std::int64_t union_length(std::vector<Interval> intervals);

// One token's wall time taken apart: wall = busy + gaps, busy = stages + between - overlap.
struct TokenAccount {
  std::int64_t wall_ns = 0;
  std::int64_t stages_ns = 0;   // sum over stages, each the union of its pieces
  std::int64_t between_ns = 0;  // work of the step that belongs to no stage
  std::int64_t busy_ns = 0;     // union of everything
  std::int64_t overlap_ns = 0;  // counted in more than one stage
  std::int64_t gaps_ns = 0;     // nothing ran; never below 0 (the device's clock is known only so well)
};
// `stages` gets the time of each stage, (number of stages); ids beyond it are ignored there.
TokenAccount account(const TokenTimes& token, std::span<std::int64_t> stages);

using Tokens = std::span<const std::shared_ptr<const TokenTimes>>;

// What a stage's time in a token is. Recorded: the union of its pieces, as they ran. Waiting out: by how much its work
// lengthens the token's, each piece from the end of all that began before it (or its own start) to its end. Where kernels
// begin early and wait for the one before them, recorded times hold the waiting and add up to more than the work; the others
// add up to it. Without overlap both are the same.
enum class StageClock : std::uint8_t { recorded, waiting_out };
// Waiting out, where overlapping pieces make up 1 % of the work or more.
StageClock clock_for(Tokens tokens, const GoesOn& goes_on = {});
// The same from what their pieces add up to and how long anything ran, in ns.
StageClock clock_for(double busy_ns, double pieces_ns);

// The times of a token's stages with waiting left out, (number of stages); returns what lies outside of these stages.
std::int64_t added_times(const TokenTimes& token, std::span<std::int64_t> stages);
// The times of a token's stages by either clock, (number of stages).
void stage_times(const TokenTimes& token, StageClock clock, std::span<std::int64_t> stages);

// Over tokens: the wall time and its parts, in ns.
struct StepStatistics {
  Spread wall, stages, between, busy, overlap, gaps;
};
StepStatistics step_statistics(Tokens tokens, const GoesOn& goes_on = {});
struct StageStatistics {
  Spread time_ns;          // over the tokens in which the stage ran
  double pieces = 0;       // pieces of work per token
  double share = 0;        // of the tokens' wall time, 0..1
  std::uint32_t name = 0;  // kernel name of its longest piece; 0: none
};
struct Statistics {
  StepStatistics step;
  std::vector<StageStatistics> stages;  // by stage id
};
Statistics statistics_of(Tokens tokens, std::size_t stage_count);
StepStatistics statistics_of(std::span<const TokenAccount> tokens);

// The same per group: `group_of_stage[id]` is the group of a stage, negative: none. A group's time in a token is the sum
// over its stages.
std::vector<StageStatistics> grouped(Tokens tokens, std::span<const int> group_of_stage, std::size_t group_count,
                                     StageClock clock = StageClock::recorded, const GoesOn& goes_on = {});

// Asks `goes_on` once in so many tokens; false: give up.
inline bool goes_on_at(const GoesOn& goes_on, std::size_t token, std::size_t tokens) {
  constexpr std::size_t between = 64;
  return !goes_on || token % between != 0 || goes_on(static_cast<double>(token) / static_cast<double>(tokens));
}
// A part of a longer piece of work: from one share of it to another.
inline GoesOn part_of(const GoesOn& goes_on, double from, double to) {
  if (!goes_on) return {};
  return [&goes_on, from, to](double done) { return goes_on(from + (to - from) * done); };
}

}  // namespace profiler
