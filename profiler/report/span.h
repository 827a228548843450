// Where a token's wall time goes, as it passes: the host before the first piece of work, the device from the first piece
// to the end of the last with the gaps in it, the host after that. Pure functions on values. Any thread.
#pragma once

#include "profiler/report/statistics.h"

namespace profiler {

// wall = before + busy + gaps + after. What is between two clocks (before, after) is known as well as these agree, and may
// come out a little below 0; gaps and busy are of one clock. A token without work is all `before`.
struct TokenSpan {
  std::int64_t wall_ns = 0;
  std::int64_t before_ns = 0, after_ns = 0;
  std::int64_t busy_ns = 0;     // union of all pieces
  std::int64_t overlap_ns = 0;  // sum of all pieces over their union: two or more at once
  std::int64_t gaps_ns = 0;     // after the first piece and before the last, nothing ran
};
TokenSpan span_of(const TokenTimes& token);

// Means over the tokens, in ns: means add up, medians do not.
struct SpanMeans {
  double wall = 0, before = 0, after = 0, busy = 0, overlap = 0, gaps = 0;
  double pieces = 0;
};
SpanMeans span_means(Tokens tokens);

// By how much each group's work lengthens the work of the token, in ns, as StageClock::waiting_out has it: the sum over all
// groups is SpanMeans::busy. Means over the tokens; `group_of_stage[id]` as in grouped(); work of no group is
// in the last element, (groups + 1).
std::vector<double> lengthening(Tokens tokens, std::span<const int> group_of_stage, std::size_t group_count);

// What keeps a token from being faster. Launches: host time and gaps are more than half of its wall time. Bandwidth: the
// bytes that it needs come at more than 60 % of the rate at which the memory copies, while work runs. Latency: neither;
// work runs, and waits for something else (the few bytes of a small model, dependent instructions). Cached: they come faster
// than the memory copies at all, so most of them out of a cache, whose rate nobody measured; what bounds the work is not judged.
enum class Bound : std::uint8_t { launches, bandwidth, latency, cached };
inline constexpr double launch_share = 0.5, bandwidth_share = 0.6;
Bound bound_of(const SpanMeans& means, double bytes, double copy_bytes_per_second);
const char* name_of(Bound bound);  // "launch-bound", ..., "not judged"

}  // namespace profiler
