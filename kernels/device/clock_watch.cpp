#include "kernels/device/clock_watch.h"

#include <algorithm>
#include <chrono>

namespace kernels {

namespace {

constexpr auto period = std::chrono::milliseconds(5);

}  // namespace

ClockReport report_of(const std::vector<ClockSample>& samples, int highest_sm_mhz) {
  ClockReport report;
  if (samples.empty()) {
    report.unavailable = "the clocks were never read";
    return report;
  }
  report.samples = static_cast<int>(samples.size());
  report.sm_mhz_highest = highest_sm_mhz;
  report.before = samples.front();
  report.after = samples.back();
  std::vector<int> sm, memory;
  std::uint64_t reasons = 0;
  for (const ClockSample& sample : samples) {
    if (sample.sm_mhz >= 0) sm.push_back(sample.sm_mhz);
    if (sample.memory_mhz >= 0) memory.push_back(sample.memory_mhz);
    report.power_w_max = std::max(report.power_w_max, sample.power_w);
    reasons |= sample.reasons;
  }
  report.throttled = throttling_among(reasons) != 0;
  report.reasons = clock_reasons(reasons);
  std::sort(sm.begin(), sm.end());
  std::sort(memory.begin(), memory.end());
  if (!sm.empty()) {
    report.sm_mhz_min = sm.front();
    report.sm_mhz_median = sm[sm.size() / 2];
    report.sm_mhz_max = sm.back();
  }
  if (!memory.empty()) {
    report.memory_mhz_min = memory.front();
    report.memory_mhz_max = memory.back();
  }
  return report;
}

ClockWatch::ClockWatch(const Nvml& nvml) : nvml_(nvml), samples_{nvml.sample()}, thread_([this] { watch(); }) {}

ClockWatch::~ClockWatch() {
  if (thread_.joinable()) finish();
}

ClockReport ClockWatch::finish() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
  samples_.push_back(nvml_.sample());
  return report_of(samples_, nvml_.highest_sm_mhz());
}

void ClockWatch::watch() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, period, [this] { return ending_; })) {
    lock.unlock();  // a read may take milliseconds
    samples_.push_back(nvml_.sample());
    lock.lock();
  }
}

}  // namespace kernels
