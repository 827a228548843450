// What every timing stands beside: the clocks of the device meanwhile, and the rate at which it copies.
#pragma once

#include "engine/backend/backend.h"
#include "kernels/device/clock_watch.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engine {

// The clocks of the device that is timed, where somebody can be asked.
class Clocks {
 public:
  explicit Clocks(const BackendInfo& info);

  // Starts to look; null: there is nobody to ask.
  std::unique_ptr<kernels::ClockWatch> watch() const;
  // Ends it; of null, why there is nothing.
  kernels::ClockReport report(kernels::ClockWatch* watch) const;

 private:
  std::optional<kernels::Nvml> nvml_;
  std::string why_not_;
};

// Bytes per second that the memory of this backend's device copies, reads and writes counted.
Result<double> measure_copy_rate(const BackendInfo& info);

// Whether two runs gave the very same numbers.
bool same_bits(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace engine
