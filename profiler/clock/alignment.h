// Where another clock's times lie on the steady clock. The other clock is read between two reads of the steady clock,
// often; the tightest bracket wins and its half width is the uncertainty. Repeated while the program runs, because the
// two clocks may drift. Pure values; one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace profiler {

// One moment known on both clocks.
struct ClockAnchor {
  std::int64_t steady_ns = 0;
  std::int64_t offset_ns = 0;  // steady - other
  std::int64_t uncertainty_ns = 0;
};

// Reads `other` (nothing when it fails) between two reads of `steady`, `repeats` times, and keeps the tightest bracket.
// Nothing when `other` never answered.
std::optional<ClockAnchor> align_clocks(const std::function<std::int64_t()>& steady,
                                        const std::function<std::optional<std::uint64_t>()>& other, int repeats = 21);

// Converts the other clock's times with the anchors taken so far: linear between two anchors, constant outside of them.
class ClockMap {
 public:
  static constexpr std::size_t kept = 64;  // newest anchors

  void add(const ClockAnchor& anchor);
  bool empty() const { return anchors_.empty(); }
  std::int64_t to_steady(std::uint64_t other_ns) const;
  // Half width of the newest bracket plus how far the offset moved since the anchor before it: what a time after the
  // newest anchor may be wrong by.
  std::int64_t uncertainty_ns() const;

 private:
  std::vector<ClockAnchor> anchors_;  // by time
};

}  // namespace profiler
