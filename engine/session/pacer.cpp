#include "engine/session/pacer.h"

#include <algorithm>

namespace engine {

namespace {

using Seconds = std::chrono::duration<double>;
// Further behind than this, deadlines start afresh: a slow step is not followed by a burst of quick ones.
constexpr std::chrono::milliseconds most_behind{250};
constexpr std::chrono::seconds window{1};
constexpr std::size_t most_times = 4096;

Pacer::Clock::duration period_of(double speed) {
  return std::chrono::duration_cast<Pacer::Clock::duration>(Seconds(1.0 / speed));
}

}  // namespace

void Pacer::start(double tokens_per_second, Clock::time_point now) {
  // Slower than one token in an hour is taken as that, so that a deadline can always be computed.
  speed_ = tokens_per_second > 0 ? std::max(tokens_per_second, 1.0 / 3600) : 0;
  next_ = now;
  if (speed_ > 0 && !times_.empty()) next_ = std::max(now, times_.back() + period_of(speed_));
}

void Pacer::stepped(Clock::time_point now) {
  times_.push_back(now);
  while (times_.size() > most_times || (times_.size() > 2 && now - times_.front() > window)) times_.pop_front();
  if (speed_ <= 0) return;
  next_ += period_of(speed_);
  if (next_ + most_behind < now) next_ = now;
}

std::optional<Pacer::Clock::time_point> Pacer::due() const {
  if (speed_ <= 0) return std::nullopt;
  return next_;
}

double Pacer::rate(Clock::time_point now) const {
  if (times_.size() < 2) return 0;
  // A token that is late counts: the rate sinks while nothing comes.
  const Seconds spent = std::max(times_.back(), now - window) - times_.front();
  return spent.count() > 0 ? static_cast<double>(times_.size() - 1) / spent.count() : 0;
}

}  // namespace engine
