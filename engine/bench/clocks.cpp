#include "engine/bench/clocks.h"

#include "engine/bench/bench.h"
#ifdef MAMBASCOPE_HAVE_CUDA
#include "kernels/device/copy_rate.h"
#include "kernels/device/device_info.h"
#endif

#include <fmt/format.h>

#include <cstring>

namespace engine {

Clocks::Clocks(const BackendInfo& info) {
  if (!info.is_gpu) {
    why_not_ = "only a GPU's clocks are read";
    return;
  }
#ifdef MAMBASCOPE_HAVE_CUDA
  const auto device = kernels::query_device();
  auto nvml = kernels::Nvml::open(device ? device->pci_bus_id : std::string());
  if (nvml) {
    nvml_ = *nvml;
  } else {
    why_not_ = nvml.error();
  }
#endif
}

std::unique_ptr<kernels::ClockWatch> Clocks::watch() const {
  return nvml_ ? std::make_unique<kernels::ClockWatch>(*nvml_) : nullptr;
}

kernels::ClockReport Clocks::report(kernels::ClockWatch* watch) const {
  if (watch != nullptr) return watch->finish();
  kernels::ClockReport report;
  report.unavailable = why_not_;
  return report;
}

Result<double> measure_copy_rate(const BackendInfo& info) {
  if (!info.is_gpu) return measure_host_copy_rate(info.threads);
#ifdef MAMBASCOPE_HAVE_CUDA
  const auto rate = kernels::measure_copy_rate();
  if (!rate)
    return system_error(fmt::format("The device's copy rate could not be measured: {}.", rate.error().message));
  return *rate;
#else
  return system_error("This build has no CUDA backend.");
#endif
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace engine
