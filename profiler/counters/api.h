// The seam to CUPTI's range profiler, in plain types: hardware counters of ranges of work. The same work is run several
// times, because the chip counts only so much at once. Implementations: live.cpp and a fake in the tests. One thread, the
// one that owns the CUDA context. A process that has an activity session cannot also count.
#pragma once

#include "profiler/cupti/api.h"

#include <cstddef>
#include <string>
#include <vector>

namespace profiler {

struct CountedRange {
  std::string name;
  std::vector<double> values;  // by metric, as chosen
};

class CounterApi {
 public:
  virtual ~CounterApi() = default;
  virtual std::string path() const = 0;
  // After the first CUDA call of this thread. `chip`: e.g. "GH100".
  virtual CuptiResult open(std::string& chip) = 0;
  virtual bool knows(const std::string& metric) = 0;
  // Plans how to count all of these; the work is to be run `passes` times.
  virtual CuptiResult choose(const std::vector<std::string>& metrics, std::size_t& passes) = 0;
  // Takes the device's counters, for up to that many ranges in a pass.
  virtual CuptiResult enable(std::size_t ranges) = 0;
  virtual CuptiResult disable() = 0;
  virtual CuptiResult begin_pass() = 0;
  virtual CuptiResult end_pass(bool& complete) = 0;  // complete: no further pass is needed
  virtual CuptiResult begin_range(const std::string& name) = 0;
  virtual CuptiResult end_range() = 0;
  // After the last pass. `dropped`: ranges that there was no room for.
  virtual CuptiResult read(std::vector<CountedRange>& ranges, std::size_t& dropped) = 0;
  virtual std::string describe(const CuptiResult& result) const = 0;
};

}  // namespace profiler
