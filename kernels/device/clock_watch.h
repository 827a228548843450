// The device's clocks while something is timed: samples from a thread of its own every few milliseconds, so that a time
// stands beside the clocks that it was taken at and a throttled device is seen.
#pragma once

#include "kernels/device/clock_report.h"
#include "kernels/device/nvml.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace kernels {

ClockReport report_of(const std::vector<ClockSample>& samples, int highest_sm_mhz);

class ClockWatch {
 public:
  // Takes the first sample and starts the thread. `nvml` outlives the watch.
  explicit ClockWatch(const Nvml& nvml);
  ClockWatch(const ClockWatch&) = delete;
  ClockWatch& operator=(const ClockWatch&) = delete;
  ~ClockWatch();

  // Takes the last sample and ends the thread. Once.
  ClockReport finish();

 private:
  void watch();

  const Nvml& nvml_;
  std::vector<ClockSample> samples_;  // the thread's, until it has ended
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace kernels
