// How far values are from their reference, collected value by value.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace engine {

// max_rel: the largest absolute difference over the largest absolute reference value of the tensor. Infinite where a
// value is not finite, or where it differs from a reference that is all zero.
struct Difference {
  double max_abs = 0;
  double max_rel = 0;
};

class Comparison {
 public:
  void add(double value, double reference) { add_difference(value - reference, reference); }
  // Angles in radians, modulo a full turn.
  void add_angle(double value, double reference) {
    constexpr double two_pi = 6.283185307179586;
    add_difference(std::remainder(value - reference, two_pi), reference);
  }
  Difference result() const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (!finite_) return {infinity, infinity};
    return {worst_, worst_ == 0 ? 0.0 : largest_ == 0 ? infinity : worst_ / largest_};
  }

 private:
  void add_difference(double difference, double reference) {
    finite_ = finite_ && std::isfinite(difference);
    worst_ = std::max(worst_, std::fabs(difference));
    largest_ = std::max(largest_, std::fabs(reference));
  }

  double worst_ = 0, largest_ = 0;
  bool finite_ = true;
};

}  // namespace engine
