// The device's clocks, power and temperature as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kernels {

// What the device said at one moment; -1: not told.
struct ClockSample {
  int sm_mhz = -1;
  int memory_mhz = -1;
  double power_w = -1;
  int temperature_c = -1;
  std::uint64_t reasons = 0;  // NVML's bits of what holds the clocks where they are
};

// What was seen from begin to end. Figures are -1 where the device does not tell them.
struct ClockReport {
  std::string unavailable;  // why there is nothing else here; empty: there is
  int samples = 0;
  int sm_mhz_min = -1, sm_mhz_median = -1, sm_mhz_max = -1;
  int sm_mhz_highest = -1;  // that the device can do
  int memory_mhz_min = -1, memory_mhz_max = -1;
  double power_w_max = -1;
  ClockSample before, after;
  bool throttled = false;            // in some sample, by power or heat
  std::vector<std::string> reasons;  // what held the clocks where they were, in words; idleness is none
};

}  // namespace kernels
