#include "profiler/report/span.h"

#include <algorithm>

namespace profiler {

TokenSpan span_of(const TokenTimes& token) {
  TokenSpan out;
  out.wall_ns = token.wall_ns;
  if (token.stages.empty()) {
    out.before_ns = token.wall_ns;
    return out;
  }
  std::vector<Interval> pieces;
  pieces.reserve(token.stages.size());
  std::int64_t sum = 0, begin = INT64_MAX, end = INT64_MIN;
  for (const StageTime& piece : token.stages) {
    const std::int64_t piece_end = piece.start_ns + piece.duration_ns;
    pieces.push_back({piece.start_ns, piece_end});
    sum += piece.duration_ns;
    begin = std::min(begin, piece.start_ns);
    end = std::max(end, piece_end);
  }
  out.busy_ns = union_length(std::move(pieces));
  out.overlap_ns = sum - out.busy_ns;
  out.gaps_ns = end - begin - out.busy_ns;
  out.before_ns = begin - token.wall_start_ns;
  out.after_ns = token.wall_start_ns + token.wall_ns - end;
  return out;
}

SpanMeans span_means(Tokens tokens) {
  SpanMeans means;
  const double share = tokens.empty() ? 0 : 1.0 / static_cast<double>(tokens.size());
  for (const auto& token : tokens) {
    const TokenSpan span = span_of(*token);
    means.wall += share * static_cast<double>(span.wall_ns);
    means.before += share * static_cast<double>(span.before_ns);
    means.after += share * static_cast<double>(span.after_ns);
    means.busy += share * static_cast<double>(span.busy_ns);
    means.overlap += share * static_cast<double>(span.overlap_ns);
    means.gaps += share * static_cast<double>(span.gaps_ns);
    means.pieces += share * static_cast<double>(token->stages.size());
  }
  return means;
}

std::vector<double> lengthening(Tokens tokens, std::span<const int> group_of_stage, std::size_t group_count) {
  std::vector<double> out(group_count + 1, 0.0);
  const double share = tokens.empty() ? 0 : 1.0 / static_cast<double>(tokens.size());
  std::vector<std::int64_t> stages(group_of_stage.size());
  for (const auto& token : tokens) {
    out.back() += share * static_cast<double>(added_times(*token, stages));
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
      const int group = group_of_stage[stage];
      out[group >= 0 ? static_cast<std::size_t>(group) : group_count] += share * static_cast<double>(stages[stage]);
    }
  }
  return out;
}

Bound bound_of(const SpanMeans& means, double bytes, double copy_bytes_per_second) {
  if (means.before + means.gaps + means.after > launch_share * means.wall) return Bound::launches;
  const double bytes_per_second = means.busy > 0 ? bytes / means.busy * 1e9 : 0;
  if (bytes_per_second > copy_bytes_per_second) return Bound::cached;
  return bytes_per_second > bandwidth_share * copy_bytes_per_second ? Bound::bandwidth : Bound::latency;
}

const char* name_of(Bound bound) {
  switch (bound) {
    case Bound::launches:
      return "launch-bound";
    case Bound::bandwidth:
      return "bandwidth-bound";
    case Bound::latency:
      return "latency-bound";
    case Bound::cached:
      return "not judged";
  }
  return "unknown";
}

}  // namespace profiler
