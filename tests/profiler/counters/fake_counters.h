// CUPTI's range profiler played from memory: counts the order of calls, fails where the test says.
#pragma once

#include "profiler/counters/api.h"

#include <map>
#include <string>
#include <vector>

namespace fake {

struct CounterScript {
  std::vector<std::string> calls;
  std::map<std::string, profiler::CuptiFault> faults;  // by call name
  std::map<std::string, int> fails_at;  // the call, counted from 1, from which on it fails; else the first
  std::size_t passes = 3;
  bool complete = true;  // whether it ever says that all is counted
  std::vector<std::string> unknown;
  std::size_t dropped = 0;

  int count(const std::string& call) const {
    int found = 0;
    for (const std::string& made : calls) found += made == call ? 1 : 0;
    return found;
  }
  profiler::CuptiResult answer(const std::string& call) {
    calls.push_back(call);
    const auto fault = faults.find(call);
    if (fault == faults.end()) return {};
    const auto at = fails_at.find(call);
    if (at != fails_at.end() && count(call) < at->second) return {};
    return {fault->second, 99};
  }
};

// A range's counters: 100 times its number in the pass plus the metric's.
class Counters : public profiler::CounterApi {
 public:
  explicit Counters(CounterScript& script) : script_(script) {}
  std::string path() const override { return "/fake/libcupti.so"; }
  profiler::CuptiResult open(std::string& chip) override {
    chip = "FK100";
    return script_.answer("open");
  }
  bool knows(const std::string& metric) override {
    for (const std::string& name : script_.unknown) {
      if (name == metric || name == "*") return false;
    }
    return true;
  }
  profiler::CuptiResult choose(const std::vector<std::string>& metrics, std::size_t& passes) override {
    metrics_ = metrics.size();
    passes = script_.passes;
    return script_.answer("choose");
  }
  profiler::CuptiResult enable(std::size_t ranges) override {
    most_ = ranges;
    return script_.answer("enable");
  }
  profiler::CuptiResult disable() override { return script_.answer("disable"); }
  profiler::CuptiResult begin_pass() override {
    ranges_.clear();
    return script_.answer("begin_pass");
  }
  profiler::CuptiResult end_pass(bool& complete) override {
    complete = script_.complete && ++passes_made_ >= script_.passes;
    return script_.answer("end_pass");
  }
  profiler::CuptiResult begin_range(const std::string& name) override {
    const auto number = static_cast<double>(ranges_.size());
    profiler::CountedRange range{name, {}};
    for (std::size_t m = 0; m < metrics_; ++m) range.values.push_back(100 * number + static_cast<double>(m));
    if (ranges_.size() < most_) ranges_.push_back(std::move(range));
    return script_.answer("begin_range");
  }
  profiler::CuptiResult end_range() override { return script_.answer("end_range"); }
  profiler::CuptiResult read(std::vector<profiler::CountedRange>& ranges, std::size_t& dropped) override {
    ranges = ranges_;
    dropped = script_.dropped;
    return script_.answer("read");
  }
  std::string describe(const profiler::CuptiResult& result) const override {
    return "FAKE_" + std::to_string(static_cast<int>(result.fault));
  }

 private:
  CounterScript& script_;
  std::size_t metrics_ = 0, most_ = 0, passes_made_ = 0;
  std::vector<profiler::CountedRange> ranges_;
};

}  // namespace fake
