#include "profiler/report/series.h"

#include <algorithm>

namespace profiler {

namespace {

template <class Value>
Series series(Tokens tokens, Value value) {
  Series out;
  for (const auto& token : tokens) {
    out.tokens.push_back(token->token);
    out.times_ns.push_back(static_cast<double>(value(*token)));
  }
  return out;
}

}  // namespace

std::vector<Series> series_of(Tokens tokens, std::span<const int> group_of_stage, std::size_t group_count,
                              StageClock clock, const GoesOn& goes_on) {
  std::vector<Series> out(group_count);
  std::vector<std::int64_t> stages(group_of_stage.size());
  std::vector<double> sums(group_count);
  std::vector<bool> ran(group_count);
  for (std::size_t t = 0; t < tokens.size() && goes_on_at(goes_on, t, tokens.size()); ++t) {
    const auto& token = tokens[t];
    stage_times(*token, clock, stages);
    std::fill(sums.begin(), sums.end(), 0.0);
    std::fill(ran.begin(), ran.end(), false);
    for (const StageTime& piece : token->stages)
      if (piece.tag.stage < group_of_stage.size() && group_of_stage[piece.tag.stage] >= 0)
        ran[static_cast<std::size_t>(group_of_stage[piece.tag.stage])] = true;
    for (std::size_t stage = 0; stage < stages.size(); ++stage)
      if (group_of_stage[stage] >= 0)
        sums[static_cast<std::size_t>(group_of_stage[stage])] += static_cast<double>(stages[stage]);
    for (std::size_t group = 0; group < group_count; ++group) {
      if (!ran[group]) continue;
      out[group].tokens.push_back(token->token);
      out[group].times_ns.push_back(sums[group]);
    }
  }
  return out;
}

Series wall_series(Tokens tokens) {
  return series(tokens, [](const TokenTimes& token) { return token.wall_ns; });
}

Series gaps_series(Tokens tokens) {
  return series(tokens, [](const TokenTimes& token) { return account(token, {}).gaps_ns; });
}

double clock_tick_ns(Tokens tokens) {
  std::vector<std::int64_t> durations;
  for (const auto& token : tokens)
    for (const StageTime& piece : token->stages) durations.push_back(piece.duration_ns);
  std::sort(durations.begin(), durations.end());
  std::int64_t tick = 0;
  for (std::size_t i = 1; i < durations.size(); ++i) {
    const std::int64_t step = durations[i] - durations[i - 1];
    if (step > 0 && (tick == 0 || step < tick)) tick = step;
  }
  return static_cast<double>(tick);
}

}  // namespace profiler
