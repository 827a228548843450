// When the next token is due while running, and how fast tokens really come. Deadlines are absolute, so that the rate
// does not drift by the time that a step takes. One thread; the caller brings the time.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

namespace engine {

class Pacer {
 public:
  using Clock = std::chrono::steady_clock;

  // A run begins, or its speed changes: the next token is due at once, or one period after the last one.
  void start(double tokens_per_second, Clock::time_point now);
  // A token was stepped at this time.
  void stepped(Clock::time_point now);
  // When the next token may be stepped; nothing: at once.
  std::optional<Clock::time_point> due() const;
  // Tokens per second over the last second or so of stepping; 0 below two tokens.
  double rate(Clock::time_point now) const;
  // Stepping has ended: the rate starts afresh.
  void rest() { times_.clear(); }

 private:
  double speed_ = 0;
  Clock::time_point next_{};
  std::deque<Clock::time_point> times_;  // of the tokens of the last second, at least two where there were two
};

}  // namespace engine
