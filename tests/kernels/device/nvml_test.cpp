// Clocks from a management library that the test plays: what it says, what it lacks, and what is made of many samples.
#include "kernels/device/nvml.h"

#include "kernels/device/clock_watch.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <string>
#include <thread>

namespace {

// The fake library: functions with NVML's C signatures, which answer from here.
int init_code = 0, find_code = 0;
std::string asked_for;
std::atomic<unsigned> sm_mhz = 1980;
int the_device = 0;

int fake_init() { return init_code; }
const char* fake_error(int code) { return code == 9 ? "Driver Not Loaded" : "Not Found"; }
int fake_find(const char* pci, void** device) {
  asked_for = pci;
  *device = &the_device;
  return find_code;
}
int fake_clock(void* device, int kind, unsigned* mhz) {
  if (device != &the_device) return 2;
  *mhz = kind == 1 ? sm_mhz.load() : 2619;
  return kind == 1 || kind == 2 ? 0 : 2;
}
int fake_highest(void*, int, unsigned* mhz) { return *mhz = 1980, 0; }
int fake_power(void*, unsigned* milliwatts) { return *milliwatts = 412500, 0; }
int fake_temperature(void*, int, unsigned* celsius) { return *celsius = 44, 0; }
int fake_reasons(void*, unsigned long long* bits) { return *bits = 0x1 | 0x4, 0; }
int not_supported(void*, unsigned*) { return 3; }

std::map<std::string, void*> library() {
  init_code = find_code = 0;
  sm_mhz = 1980;
  return {{"nvmlInit_v2", reinterpret_cast<void*>(&fake_init)},
          {"nvmlErrorString", reinterpret_cast<void*>(&fake_error)},
          {"nvmlDeviceGetHandleByPciBusId_v2", reinterpret_cast<void*>(&fake_find)},
          {"nvmlDeviceGetClockInfo", reinterpret_cast<void*>(&fake_clock)},
          {"nvmlDeviceGetMaxClockInfo", reinterpret_cast<void*>(&fake_highest)},
          {"nvmlDeviceGetPowerUsage", reinterpret_cast<void*>(&fake_power)},
          {"nvmlDeviceGetTemperature", reinterpret_cast<void*>(&fake_temperature)},
          {"nvmlDeviceGetCurrentClocksEventReasons", reinterpret_cast<void*>(&fake_reasons)}};
}

tl::expected<kernels::Nvml, std::string> open_fake(const std::map<std::string, void*>& functions) {
  return kernels::Nvml::bind(
      [&](const char* name) {
        const auto found = functions.find(name);
        return found == functions.end() ? nullptr : found->second;
      },
      "0000:1B:00.0");
}

}  // namespace

TEST_CASE("nvml: figures of the device with the given address, in their units") {
  const auto nvml = open_fake(library());
  REQUIRE(nvml);
  CHECK(asked_for == "0000:1B:00.0");
  CHECK(nvml->highest_sm_mhz() == 1980);
  const kernels::ClockSample sample = nvml->sample();
  CHECK(sample.sm_mhz == 1980);
  CHECK(sample.memory_mhz == 2619);
  CHECK(sample.power_w == doctest::Approx(412.5));
  CHECK(sample.temperature_c == 44);
  CHECK(sample.reasons == 0x5);
}

TEST_CASE("nvml: what is absent is said, or left out") {
  CHECK(open_fake({}).error().find("none of the functions") != std::string::npos);
  auto functions = library();
  init_code = 9;
  CHECK(open_fake(functions).error().find("Driver Not Loaded") != std::string::npos);
  functions = library();
  find_code = 6;
  CHECK(open_fake(functions).error().find("0000:1B:00.0: Not Found") != std::string::npos);

  functions = library();
  functions.erase("nvmlDeviceGetTemperature");
  functions["nvmlDeviceGetPowerUsage"] = reinterpret_cast<void*>(&not_supported);
  functions["nvmlDeviceGetCurrentClocksThrottleReasons"] = functions["nvmlDeviceGetCurrentClocksEventReasons"];
  functions.erase("nvmlDeviceGetCurrentClocksEventReasons");  // a driver from before it had that name
  const auto nvml = open_fake(functions);
  REQUIRE(nvml);
  const kernels::ClockSample sample = nvml->sample();
  CHECK(sample.sm_mhz == 1980);
  CHECK(sample.power_w == -1);
  CHECK(sample.temperature_c == -1);
  CHECK(sample.reasons == 0x5);
}

TEST_CASE("nvml: on a machine without the library the reason names it") {
  const auto nvml = kernels::Nvml::open("ffff:ff:ff.f");  // where there is one, it has no such device
  REQUIRE_FALSE(nvml);
  CHECK(nvml.error().find("NVML") != std::string::npos);
}

TEST_CASE("clock reasons: words for each, and which of them cost speed") {
  CHECK(kernels::clock_reasons(0x1).empty());
  CHECK(kernels::clock_reasons(0x5) == std::vector<std::string>{"power cap"});
  CHECK(kernels::clock_reasons(0x40000) == std::vector<std::string>{"reason 0x40000"});
  CHECK(kernels::throttling_among(0x1 | 0x2 | 0x100) == 0);
  CHECK(kernels::throttling_among(0x4 | 0x1) == 0x4);
  CHECK(kernels::throttling_among(0xFF) == (0x4 | 0x8 | 0x20 | 0x40 | 0x80));
}

TEST_CASE("clock watch: the range over many samples, from before to after") {
  const auto nvml = open_fake(library());
  REQUIRE(nvml);
  kernels::ClockWatch watch(*nvml);
  sm_mhz = 1200;
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  sm_mhz = 1500;
  const kernels::ClockReport report = watch.finish();
  CHECK(report.unavailable.empty());
  CHECK(report.samples >= 3);
  CHECK(report.before.sm_mhz == 1980);
  CHECK(report.after.sm_mhz == 1500);
  CHECK(report.sm_mhz_min == 1200);
  CHECK(report.sm_mhz_max == 1980);
  CHECK(report.memory_mhz_min == 2619);
  CHECK(report.power_w_max == doctest::Approx(412.5));
  CHECK(report.throttled);
  CHECK(report.reasons == std::vector<std::string>{"power cap"});
  CHECK_FALSE(kernels::report_of({}, 1980).unavailable.empty());
  const kernels::ClockReport silent = kernels::report_of({kernels::ClockSample{}}, -1);
  CHECK(silent.sm_mhz_median == -1);
  CHECK_FALSE(silent.throttled);
}
