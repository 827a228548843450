// What tables and distributions of times are made from: some tokens' times, asked for by groups of stages. Either counted
// from the tokens at once, or kept by LiveTimes while tokens come. Pure; not for one token's timeline. UI thread or a job's.
#pragma once

#include "profiler/report/series.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace app {

class MeasuredTimes {
 public:
  virtual ~MeasuredTimes() = default;
  virtual std::size_t count() const = 0;              // of tokens
  virtual profiler::TimeSource source() const = 0;    // of the newest one
  virtual profiler::StageClock clock() const = 0;     // that fits these tokens (profiler::clock_for)
  virtual profiler::StepStatistics step() const = 0;  // wall time and its parts
  virtual profiler::Series wall() const = 0;          // of every token
  virtual std::vector<profiler::Series> groups(std::span<const int> group_of_stage,  // profiler::series_of by clock()
                                               std::size_t count) const = 0;
};

// Counts anew whenever it is asked: for tokens that stay as they are. `tokens` and `goes_on` outlive it. `goes_on` is asked about
// three passes over the tokens, which is what a table takes; once it said no, nothing that is answered says anything.
class CountedTimes : public MeasuredTimes {
 public:
  explicit CountedTimes(profiler::Tokens tokens) : tokens_(tokens) {}
  CountedTimes(profiler::Tokens tokens, const profiler::GoesOn& goes_on) : tokens_(tokens), goes_on_(&goes_on) {}
  std::size_t count() const override { return tokens_.size(); }
  profiler::TimeSource source() const override;
  profiler::StageClock clock() const override;
  profiler::StepStatistics step() const override { return profiler::step_statistics(tokens_, next_pass()); }
  profiler::Series wall() const override { return profiler::wall_series(tokens_); }
  std::vector<profiler::Series> groups(std::span<const int> group_of_stage, std::size_t count) const override {
    const profiler::StageClock by = clock();
    return profiler::series_of(tokens_, group_of_stage, count, by, next_pass());
  }

 private:
  profiler::GoesOn next_pass() const;

  profiler::Tokens tokens_;
  const profiler::GoesOn* goes_on_ = nullptr;
  mutable std::optional<profiler::StageClock> clock_;
  mutable int passes_ = 0;
};

}  // namespace app
