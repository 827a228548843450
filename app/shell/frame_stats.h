// How long frames take, from the newest few thousand of them, and where the slowest spent their time. UI thread only.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace app {

struct FramePart {
  std::string name;  // of a panel, or of a part of the frame's loop
  double ms = 0;
};
struct SlowFrame {
  std::size_t frame = 0;  // counted from 0 since the start or clear()
  double ms = 0;
  std::vector<FramePart> parts;  // as they came
};

class FrameStats {
 public:
  void add(double ms, std::vector<FramePart> parts = {});
  // The slowest of all, that one first; as many as are kept.
  const std::vector<SlowFrame>& slowest() const { return slowest_; }
  std::size_t count() const { return count_; }
  // The longest that a part of this name took in any frame; 0: there was none.
  double most_ms(const std::string& part) const;
  // The share-th quantile in milliseconds, 0..1, by the closest rank; 0 without frames.
  double quantile_ms(double share) const;
  void clear() {
    times_ms_.clear();
    slowest_.clear();
    most_ms_.clear();
    count_ = 0;
  }

 private:
  static constexpr std::size_t capacity = 8192, kept_slow = 12;
  std::vector<double> times_ms_;  // a ring once it is full
  std::vector<SlowFrame> slowest_;
  std::map<std::string, double> most_ms_;
  std::size_t count_ = 0;
};

// Of the frame that is drawn: who draws a part of it adds what that took.
std::vector<FramePart>& frame_parts();

}  // namespace app
