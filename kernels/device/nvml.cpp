#include "kernels/device/nvml.h"

#include <fmt/format.h>

#include <dlfcn.h>

#include <utility>

namespace kernels {

namespace {

// Values of nvml.h, fixed by its binary interface.
constexpr int success = 0, clock_sm = 1, clock_memory = 2, sensor_gpu = 0;

struct Reason {
  std::uint64_t bit;
  bool throttles;
  const char* words;
};
constexpr std::uint64_t idle = 0x1;
constexpr Reason known_reasons[] = {{0x2, false, "chosen clocks"},
                                    {0x4, true, "power cap"},
                                    {0x8, true, "hardware slowdown"},
                                    {0x10, false, "in step with other GPUs"},
                                    {0x20, true, "heat"},
                                    {0x40, true, "hardware slowdown, heat"},
                                    {0x80, true, "hardware slowdown, power brake"},
                                    {0x100, false, "display clocks"}};

template <class Function>
Function function(const Nvml::Resolve& resolve, const char* name) {
  return reinterpret_cast<Function>(resolve(name));
}

}  // namespace

std::uint64_t throttling_among(std::uint64_t reasons) {
  std::uint64_t found = 0;
  for (const Reason& reason : known_reasons) found |= reason.throttles ? reasons & reason.bit : 0;
  return found;
}

std::vector<std::string> clock_reasons(std::uint64_t reasons) {
  std::vector<std::string> words;
  std::uint64_t rest = reasons & ~idle;
  for (const Reason& reason : known_reasons) {
    if ((rest & reason.bit) != 0) words.emplace_back(reason.words);
    rest &= ~reason.bit;
  }
  if (rest != 0) words.push_back(fmt::format("reason {:#x}", rest));
  return words;
}

tl::expected<Nvml, std::string> Nvml::open(const std::string& pci_bus_id) {
  // Never closed: the driver's library keeps threads of its own.
  void* library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* error = dlerror();
    return tl::unexpected<std::string>(
        fmt::format("NVML could not be opened: {}", error != nullptr ? error : "libnvidia-ml.so.1 is missing"));
  }
  return bind([library](const char* name) { return dlsym(library, name); }, pci_bus_id);
}

tl::expected<Nvml, std::string> Nvml::bind(const Resolve& resolve, const std::string& pci_bus_id) {
  const auto init = function<int (*)()>(resolve, "nvmlInit_v2");
  const auto find = function<int (*)(const char*, Device*)>(resolve, "nvmlDeviceGetHandleByPciBusId_v2");
  const auto text = function<const char* (*)(int)>(resolve, "nvmlErrorString");
  if (init == nullptr || find == nullptr) {
    return tl::unexpected<std::string>("NVML has none of the functions that find a device");
  }
  const auto words = [&](int code) {
    return text != nullptr ? std::string(text(code)) : fmt::format("error {}", code);
  };
  if (const int code = init(); code != success) {
    return tl::unexpected<std::string>(fmt::format("NVML did not start: {}", words(code)));
  }
  Nvml nvml;
  if (const int code = find(pci_bus_id.c_str(), &nvml.device_); code != success) {
    return tl::unexpected<std::string>(fmt::format("NVML does not know the device {}: {}", pci_bus_id, words(code)));
  }
  nvml.clock_ = function<ClockOf>(resolve, "nvmlDeviceGetClockInfo");
  nvml.power_ = function<ReadUnsigned>(resolve, "nvmlDeviceGetPowerUsage");
  nvml.temperature_ = function<ReadTemperature>(resolve, "nvmlDeviceGetTemperature");
  nvml.reasons_ = function<ReadReasons>(resolve, "nvmlDeviceGetCurrentClocksEventReasons");
  if (nvml.reasons_ == nullptr) {  // the name before driver 535
    nvml.reasons_ = function<ReadReasons>(resolve, "nvmlDeviceGetCurrentClocksThrottleReasons");
  }
  unsigned mhz = 0;
  const auto highest = function<ClockOf>(resolve, "nvmlDeviceGetMaxClockInfo");
  if (highest != nullptr && highest(nvml.device_, clock_sm, &mhz) == success) {
    nvml.highest_sm_mhz_ = static_cast<int>(mhz);
  }
  return nvml;
}

ClockSample Nvml::sample() const {
  ClockSample found;
  unsigned value = 0;
  const auto told = [&](bool asked) { return asked ? static_cast<int>(value) : -1; };
  found.sm_mhz = told(clock_ != nullptr && clock_(device_, clock_sm, &value) == success);
  found.memory_mhz = told(clock_ != nullptr && clock_(device_, clock_memory, &value) == success);
  found.temperature_c = told(temperature_ != nullptr && temperature_(device_, sensor_gpu, &value) == success);
  if (power_ != nullptr && power_(device_, &value) == success) found.power_w = value / 1e3;
  unsigned long long bits = 0;
  if (reasons_ != nullptr && reasons_(device_, &bits) == success) found.reasons = bits;
  return found;
}

}  // namespace kernels
