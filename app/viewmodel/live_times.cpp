#include "app/viewmodel/live_times.h"

#include <algorithm>
#include <utility>

namespace app {

profiler::TimeSource CountedTimes::source() const {
  return tokens_.empty() ? profiler::TimeSource::none : tokens_.back()->source;
}

profiler::StageClock CountedTimes::clock() const {
  if (!clock_) clock_ = profiler::clock_for(tokens_, next_pass());
  return *clock_;
}

profiler::GoesOn CountedTimes::next_pass() const {
  if (goes_on_ == nullptr) return {};
  constexpr int passes = 3;
  const int pass = std::min(passes_++, passes - 1);
  return profiler::part_of(*goes_on_, static_cast<double>(pass) / passes, static_cast<double>(pass + 1) / passes);
}

LiveTimes::Parts LiveTimes::apart(std::shared_ptr<const profiler::TokenTimes> token, std::size_t stages) {
  Parts out;
  out.recorded.resize(stages);
  out.waiting_out.resize(stages);
  out.account = profiler::account(*token, out.recorded);
  profiler::added_times(*token, out.waiting_out);
  std::vector<bool> ran(stages);
  for (const profiler::StageTime& piece : token->stages) {
    out.pieces_ns += static_cast<double>(piece.duration_ns);
    if (piece.tag.stage < stages) ran[piece.tag.stage] = true;
  }
  for (std::size_t stage = 0; stage < stages; ++stage)
    if (!ran[stage]) out.recorded[stage] = -1;
  out.of = std::move(token);
  return out;
}

bool LiveTimes::take(profiler::Tokens tokens, std::size_t stages) {
  if (stages != stages_) parts_.clear();
  stages_ = stages;
  std::deque<Parts> kept;
  std::size_t pieces = 0;
  bool all = true;
  // Both are in the order in which tokens came, but for tokens that were stepped again.
  auto old = parts_.rbegin();
  for (std::size_t i = tokens.size(); i-- > 0;) {
    auto at = std::find_if(old, parts_.rend(), [&](const Parts& parts) { return parts.of == tokens[i]; });
    if (at != parts_.rend()) {
      kept.push_front(std::move(*at));
      old = std::next(at);
    } else if (pieces < pieces_at_once) {
      kept.push_front(apart(tokens[i], stages));
      pieces += tokens[i]->stages.size() + 1;
      ++taken_apart_;
    } else {
      all = false;
    }
  }
  parts_ = std::move(kept);
  return all;
}

profiler::TimeSource LiveTimes::source() const {
  return parts_.empty() ? profiler::TimeSource::none : parts_.back().of->source;
}

profiler::StageClock LiveTimes::clock() const {
  double busy = 0, sum = 0;
  for (const Parts& parts : parts_) {
    busy += static_cast<double>(parts.account.busy_ns);
    sum += parts.pieces_ns;
  }
  return profiler::clock_for(busy, sum);
}

profiler::StepStatistics LiveTimes::step() const {
  std::vector<profiler::TokenAccount> accounts;
  accounts.reserve(parts_.size());
  for (const Parts& parts : parts_) accounts.push_back(parts.account);
  return profiler::statistics_of(accounts);
}

profiler::Series LiveTimes::wall() const {
  profiler::Series out;
  for (const Parts& parts : parts_) {
    out.tokens.push_back(parts.of->token);
    out.times_ns.push_back(static_cast<double>(parts.of->wall_ns));
  }
  return out;
}

std::vector<profiler::Series> LiveTimes::groups(std::span<const int> group_of_stage, std::size_t count) const {
  std::vector<profiler::Series> out(count);
  const bool waiting_out = clock() == profiler::StageClock::waiting_out;
  std::vector<double> sums(count);
  std::vector<bool> ran(count);
  for (const Parts& parts : parts_) {
    std::fill(sums.begin(), sums.end(), 0.0);
    std::fill(ran.begin(), ran.end(), false);
    for (std::size_t stage = 0; stage < std::min(stages_, group_of_stage.size()); ++stage) {
      if (group_of_stage[stage] < 0 || parts.recorded[stage] < 0) continue;
      const auto group = static_cast<std::size_t>(group_of_stage[stage]);
      sums[group] += static_cast<double>((waiting_out ? parts.waiting_out : parts.recorded)[stage]);
      ran[group] = true;
    }
    for (std::size_t group = 0; group < count; ++group) {
      if (!ran[group]) continue;
      out[group].tokens.push_back(parts.of->token);
      out[group].times_ns.push_back(sums[group]);
    }
  }
  return out;
}

}  // namespace app
