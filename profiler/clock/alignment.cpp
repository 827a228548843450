#include "profiler/clock/alignment.h"

#include <cstdlib>

namespace profiler {

std::optional<ClockAnchor> align_clocks(const std::function<std::int64_t()>& steady,
                                        const std::function<std::optional<std::uint64_t>()>& other, int repeats) {
  std::optional<ClockAnchor> best;
  for (int i = 0; i < repeats; ++i) {
    const std::int64_t before = steady();
    const std::optional<std::uint64_t> there = other();
    const std::int64_t after = steady();
    if (!there || *there == 0) continue;
    const std::int64_t half = (after - before + 1) / 2;
    if (best && half >= best->uncertainty_ns) continue;
    const std::int64_t middle = before + (after - before) / 2;
    best = ClockAnchor{middle, middle - static_cast<std::int64_t>(*there), half};
  }
  return best;
}

void ClockMap::add(const ClockAnchor& anchor) {
  if (anchors_.size() == kept) anchors_.erase(anchors_.begin());
  anchors_.push_back(anchor);
}

std::int64_t ClockMap::to_steady(std::uint64_t other_ns) const {
  const auto there = static_cast<std::int64_t>(other_ns);
  if (anchors_.empty()) return there;
  // Newest first: nearly every record is younger than the last anchor but one.
  for (std::size_t i = anchors_.size(); i-- > 0;) {
    const ClockAnchor& left = anchors_[i];
    const std::int64_t left_there = left.steady_ns - left.offset_ns;
    if (there < left_there) continue;
    if (i + 1 == anchors_.size()) return there + left.offset_ns;
    const ClockAnchor& right = anchors_[i + 1];
    const std::int64_t right_there = right.steady_ns - right.offset_ns;
    const double share = static_cast<double>(there - left_there) / static_cast<double>(right_there - left_there);
    const double moved = share * static_cast<double>(right.offset_ns - left.offset_ns);
    return there + left.offset_ns + static_cast<std::int64_t>(moved);
  }
  return there + anchors_.front().offset_ns;
}

std::int64_t ClockMap::uncertainty_ns() const {
  if (anchors_.empty()) return 0;
  const ClockAnchor& last = anchors_.back();
  if (anchors_.size() == 1) return last.uncertainty_ns;
  return last.uncertainty_ns + std::abs(last.offset_ns - anchors_[anchors_.size() - 2].offset_ns);
}

}  // namespace profiler
