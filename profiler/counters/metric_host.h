// The half of CUPTI's counters that needs no device: which metrics a chip has, how many passes they take, the configuration
// made of them, and values computed from raw counters. Shared by ranges and samples; for their live.cpp files alone. One thread.
#pragma once

#include "profiler/cupti/library.h"

#include <cupti_profiler_host.h>
#include <cupti_profiler_target.h>
#include <cupti_target.h>

#include <cstdint>
#include <string>
#include <vector>

namespace profiler {

struct MetricFunctions {
  decltype(&cuptiProfilerInitialize) start_profiler = nullptr;
  decltype(&cuptiDeviceGetChipName) chip_name = nullptr;
  decltype(&cuptiGetResultString) result_string = nullptr;
  decltype(&cuptiProfilerHostInitialize) initialize = nullptr;
  decltype(&cuptiProfilerHostDeinitialize) deinitialize = nullptr;
  decltype(&cuptiProfilerHostGetMetricProperties) properties = nullptr;
  decltype(&cuptiProfilerHostConfigAddMetrics) add_metrics = nullptr;
  decltype(&cuptiProfilerHostGetConfigImageSize) config_size = nullptr;
  decltype(&cuptiProfilerHostGetConfigImage) config_image = nullptr;
  decltype(&cuptiProfilerHostGetNumOfPasses) passes = nullptr;
  decltype(&cuptiProfilerHostEvaluateToGpuValues) evaluate = nullptr;
  void find(FunctionLookup& functions);
};

// Every structure of these interfaces says how long it is; the rest is zero.
template <class Params>
Params sized(std::size_t size) {
  Params params{};
  params.structSize = size;
  return params;
}

class MetricHost {
 public:
  explicit MetricHost(const MetricFunctions& functions) : f_(functions) {}
  ~MetricHost() { close(); }
  MetricHost(const MetricHost&) = delete;
  MetricHost& operator=(const MetricHost&) = delete;

  // Starts the library's profiler, asks for the name of the chip, and for what counters the device lets this process have, which
  // ranges and samples ask in their own words: `availability(params)`, once for the size of the image and once for the image.
  template <class Params>
  CUptiResult open(CUpti_ProfilerType type, std::string& chip, CUptiResult (*availability)(Params*), Params params) {
    CUptiResult result = identify(chip);
    if (result != CUPTI_SUCCESS) return result;
    result = availability(&params);
    if (result != CUPTI_SUCCESS) return result;
    availability_.resize(params.counterAvailabilityImageSize);
    params.pCounterAvailabilityImage = availability_.data();
    result = availability(&params);
    if (result != CUPTI_SUCCESS) return result;
    type_ = type;
    chip_ = chip;
    return reopen();
  }
  bool knows(const std::string& metric);
  // Makes the configuration of all of these, in place of an earlier one.
  CUptiResult choose(const std::vector<std::string>& metrics, std::size_t& passes);
  // The values by metric of one range or sample of an image of counters.
  CUptiResult evaluate(const std::vector<std::uint8_t>& data, std::size_t range, std::vector<double>& values);

  // The library reads these as long as it counts.
  std::vector<std::uint8_t>& config() { return config_; }
  std::vector<const char*>& names() { return names_; }
  std::string describe(int code) const;

 private:
  CUptiResult identify(std::string& chip) const;
  CUptiResult reopen();
  void close();

  MetricFunctions f_;
  CUpti_ProfilerType type_ = CUPTI_PROFILER_TYPE_RANGE_PROFILER;
  std::string chip_;
  CUpti_Profiler_Host_Object* host_ = nullptr;
  std::vector<std::string> metrics_;
  std::vector<const char*> names_;
  std::vector<std::uint8_t> availability_, config_;
};

}  // namespace profiler
