// The same values for a kernel and for its twin on the CPU: fp32 on the device, double in the reference; weights in fp32
// on both sides. A test fills one argument struct through a place, OnDevice or OnHost, and compares what came out.
#pragma once

#include "tests/gpu/device.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

namespace gpu_test {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  // Uniform in [low, high), the same on every platform.
  float uniform(float low, float high) { return low + (high - low) * static_cast<float>(engine_() >> 8U) * 0x1p-24F; }
  std::vector<float> values(std::size_t count, float low, float high) {
    std::vector<float> made(count);
    for (float& value : made) value = uniform(low, high);
    return made;
  }

 private:
  std::mt19937 engine_;
};

// Activations or state: inputs with values, outputs as NaN.
class Twin {
 public:
  explicit Twin(const std::vector<float>& values) : host(values.begin(), values.end()), device(values) {}
  static Twin output(std::size_t count) {
    return Twin(std::vector<float>(count, std::numeric_limits<float>::quiet_NaN()));
  }
  std::vector<double> host;
  Array<float> device;
};

// fp32 weights.
class Weight {
 public:
  explicit Weight(const std::vector<float>& values) : host(values), device(values) {}
  std::vector<float> host;
  Array<float> device;
};

struct OnDevice {
  using Type = float;
  float* operator()(Twin& twin) const { return twin.device.data(); }
  const float* operator()(Weight& weight) const { return weight.device.data(); }
};
struct OnHost {
  using Type = double;
  double* operator()(Twin& twin) const { return twin.host.data(); }
  const float* operator()(Weight& weight) const { return weight.host.data(); }
};

// How far the device is from its twin. Both numbers are infinite where a value is not finite.
struct Difference {
  double max_rel = 0;  // largest absolute difference over the largest absolute value of the twin
  double nmse = 0;     // sum of squared differences over the sum of squares
};

inline Difference difference(const Twin& twin) {
  const std::vector<float> found = twin.device.read();
  double largest = 0, max_abs = 0, squares = 0, errors = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double error = static_cast<double>(found[i]) - twin.host[i];
    if (!std::isfinite(error))
      return {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    largest = std::max(largest, std::fabs(twin.host[i]));
    max_abs = std::max(max_abs, std::fabs(error));
    squares += twin.host[i] * twin.host[i];
    errors += error * error;
  }
  if (max_abs == 0) return {};
  return {max_abs / largest, errors / squares};
}

}  // namespace gpu_test

// The largest difference of fp32 arithmetic from double on values of order one; NMSE of rounding is about its square.
#define CHECK_TWIN(twin, limit)                                     \
  do {                                                              \
    const gpu_test::Difference found_ = gpu_test::difference(twin); \
    CAPTURE(found_.max_rel);                                        \
    CHECK(found_.max_rel <= (limit));                               \
    CHECK(found_.nmse <= (limit) * (limit));                        \
  } while (false)
