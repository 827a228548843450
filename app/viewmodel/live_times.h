// The times of the newest tokens while tokens come: each token is taken apart once, when it arrives, so that a table of a few
// hundred tokens costs a frame little more than the tokens that are new. Makes what CountedTimes makes of the same tokens.
// Not for recordings of any length: it keeps two numbers for each stage and token. UI thread only.
#pragma once

#include "app/viewmodel/measured_times.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace app {

class LiveTimes : public MeasuredTimes {
 public:
  // Tokens are taken apart until so many pieces of work were (one token at least), the others with the next call: below a
  // millisecond.
  static constexpr std::size_t pieces_at_once = 6000;

  // Keeps these tokens (oldest first) and no others; the newest are taken apart first. What cannot be taken apart in this
  // call is left out until then. `stages`: of the plan. true: all of them are there.
  bool take(profiler::Tokens tokens, std::size_t stages);
  std::size_t taken_apart() const { return taken_apart_; }  // tokens, ever

  std::size_t count() const override { return parts_.size(); }
  profiler::TimeSource source() const override;
  profiler::StageClock clock() const override;
  profiler::StepStatistics step() const override;
  profiler::Series wall() const override;
  std::vector<profiler::Series> groups(std::span<const int> group_of_stage, std::size_t count) const override;

 private:
  struct Parts {
    std::shared_ptr<const profiler::TokenTimes> of;
    profiler::TokenAccount account;
    double pieces_ns = 0;                             // sum of all pieces
    std::vector<std::int64_t> recorded, waiting_out;  // (stages), by either clock; recorded -1: it did not run
  };
  static Parts apart(std::shared_ptr<const profiler::TokenTimes> token, std::size_t stages);

  std::deque<Parts> parts_;  // oldest first
  std::size_t stages_ = 0, taken_apart_ = 0;
};

}  // namespace app
