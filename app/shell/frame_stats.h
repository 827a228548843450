// How long frames take, from the newest few thousand of them. UI thread only.
#pragma once

#include <cstddef>
#include <vector>

namespace app {

class FrameStats {
 public:
  void add(double ms);
  std::size_t count() const { return count_; }
  // The share-th quantile in milliseconds, 0..1, by the closest rank; 0 without frames.
  double quantile_ms(double share) const;
  void clear() {
    times_ms_.clear();
    count_ = 0;
  }

 private:
  static constexpr std::size_t capacity = 8192;
  std::vector<double> times_ms_;  // a ring once it is full
  std::size_t count_ = 0;
};

}  // namespace app
