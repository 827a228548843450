// The seam to CUPTI's PM sampling, in plain types: hardware counters read at a fixed interval of time while work runs, which
// is not disturbed by it. All of them in one pass. Implementations: live_sampling.cpp and a fake in the tests. One thread; a
// process that has an activity session does not also sample.
#pragma once

#include "profiler/cupti/api.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace profiler {

struct CounterSample {
  std::uint64_t start_ns = 0, end_ns = 0;  // the device's clock
  std::vector<double> values;              // by metric, as chosen
};

class SamplingApi {
 public:
  virtual ~SamplingApi() = default;
  virtual std::string path() const = 0;
  // After the first CUDA call of this process. `chip`: e.g. "GH100".
  virtual CuptiResult open(std::string& chip) = 0;
  virtual bool knows(const std::string& metric) = 0;
  // Plans how to read all of these; may be asked again for fewer.
  virtual CuptiResult choose(const std::vector<std::string>& metrics, std::size_t& passes) = 0;
  // Takes the device's counters, for a sample every `interval_ns`, up to that many.
  virtual CuptiResult enable(std::uint64_t interval_ns, std::size_t most_samples) = 0;
  virtual CuptiResult disable() = 0;
  virtual CuptiResult start() = 0;
  virtual CuptiResult stop() = 0;
  // After stop(), by rising time. `overflow`: samples were lost for want of room.
  virtual CuptiResult read(std::vector<CounterSample>& samples, bool& overflow) = 0;
  virtual std::string describe(const CuptiResult& result) const = 0;
};

}  // namespace profiler
