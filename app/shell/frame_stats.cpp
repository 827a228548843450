#include "app/shell/frame_stats.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace app {

std::vector<FramePart>& frame_parts() {
  static std::vector<FramePart> parts;
  return parts;
}

void FrameStats::add(double ms, std::vector<FramePart> parts) {
  for (const FramePart& part : parts) {
    double& most = most_ms_[part.name];
    most = std::max(most, part.ms);
  }
  if (slowest_.size() < kept_slow || ms > slowest_.back().ms) {
    const auto at = std::find_if(slowest_.begin(), slowest_.end(), [&](const SlowFrame& slow) { return ms > slow.ms; });
    slowest_.insert(at, {count_, ms, std::move(parts)});
    if (slowest_.size() > kept_slow) slowest_.pop_back();
  }
  if (times_ms_.size() < capacity)
    times_ms_.push_back(ms);
  else
    times_ms_[count_ % capacity] = ms;
  ++count_;
}

double FrameStats::most_ms(const std::string& part) const {
  const auto found = most_ms_.find(part);
  return found == most_ms_.end() ? 0 : found->second;
}

double FrameStats::quantile_ms(double share) const {
  if (times_ms_.empty()) return 0;
  std::vector<double> sorted = times_ms_;
  const auto last = static_cast<double>(sorted.size() - 1);
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(std::clamp(share, 0.0, 1.0) * last));
  std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.end());
  return sorted[static_cast<std::size_t>(rank)];
}

}  // namespace app
