// Clocks, power and temperature of the device from NVIDIA's management library, which is opened at run time and nothing
// links; its few functions are declared here. Where the library, a device or a figure is absent, the answer says so. Not
// for: setting anything. Any one thread at a time.
#pragma once

#include "kernels/device/clock_report.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kernels {

// Those of the bits that mean less speed than the device has: power and heat, not idleness or a chosen clock.
std::uint64_t throttling_among(std::uint64_t reasons);
// "power cap", "hardware slowdown, heat": every bit in words, idleness left out; empty when there is none.
std::vector<std::string> clock_reasons(std::uint64_t reasons);

class Nvml {
 public:
  // Gives a function's address by name, or null.
  using Resolve = std::function<void*(const char*)>;

  // Opens libnvidia-ml.so.1 and looks for the device with this PCI address ("0000:1B:00.0"). The error says why there are
  // no figures.
  static tl::expected<Nvml, std::string> open(const std::string& pci_bus_id);
  // The same on functions of the caller's: for tests.
  static tl::expected<Nvml, std::string> bind(const Resolve& resolve, const std::string& pci_bus_id);

  ClockSample sample() const;
  // The highest clocks that the device is sold with, MHz; -1: not told.
  int highest_sm_mhz() const { return highest_sm_mhz_; }

 private:
  using Device = void*;
  using ClockOf = int (*)(Device, int kind, unsigned* mhz);
  using ReadUnsigned = int (*)(Device, unsigned* value);
  using ReadTemperature = int (*)(Device, int sensor, unsigned* celsius);
  using ReadReasons = int (*)(Device, unsigned long long* bits);

  Device device_ = nullptr;
  ClockOf clock_ = nullptr;
  ReadUnsigned power_ = nullptr;  // milliwatts
  ReadTemperature temperature_ = nullptr;
  ReadReasons reasons_ = nullptr;
  int highest_sm_mhz_ = -1;
};

}  // namespace kernels
