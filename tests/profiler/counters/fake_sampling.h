// CUPTI's PM sampling played from memory: keeps the order of calls, fails where the test says, answers the samples it was given.
#pragma once

#include "profiler/counters/sampling_api.h"

#include <map>
#include <string>
#include <vector>

namespace fake {

struct SamplingScript {
  std::vector<std::string> calls;
  std::map<std::string, profiler::CuptiFault> faults;  // by call name
  std::vector<std::string> unknown;                    // "*": all
  std::size_t most_in_a_pass = 99;                     // metrics
  std::vector<profiler::CounterSample> samples;
  bool overflow = false;

  int count(const std::string& call) const {
    int found = 0;
    for (const std::string& made : calls) found += made == call ? 1 : 0;
    return found;
  }
  profiler::CuptiResult answer(const std::string& call) {
    calls.push_back(call);
    const auto fault = faults.find(call);
    return fault == faults.end() ? profiler::CuptiResult{} : profiler::CuptiResult{fault->second, 99};
  }
  // `busy` samples with work behind `idle` ones without, each of them 2 us; values are `level` plus the metric's number.
  void play(int idle, int busy, double level, std::size_t metrics) {
    std::uint64_t at = samples.empty() ? 1'000'000'000 : samples.back().end_ns;
    for (int i = 0; i < idle + busy; ++i, at += 2000) {
      profiler::CounterSample sample{at, at + 2000, std::vector<double>(metrics, 0.0)};
      for (std::size_t m = 0; m < metrics && i >= idle; ++m) sample.values[m] = level + static_cast<double>(m);
      samples.push_back(std::move(sample));
    }
  }
};

class Sampling : public profiler::SamplingApi {
 public:
  explicit Sampling(SamplingScript& script) : script_(script) {}
  std::string path() const override { return "/fake/libcupti.so"; }
  profiler::CuptiResult open(std::string& chip) override {
    chip = "FK100";
    return script_.answer("open");
  }
  bool knows(const std::string& metric) override {
    for (const std::string& name : script_.unknown)
      if (name == metric || name == "*") return false;
    return true;
  }
  profiler::CuptiResult choose(const std::vector<std::string>& metrics, std::size_t& passes) override {
    passes = metrics.size() <= script_.most_in_a_pass ? 1 : 2;
    return script_.answer("choose");
  }
  profiler::CuptiResult enable(std::uint64_t, std::size_t) override { return script_.answer("enable"); }
  profiler::CuptiResult disable() override { return script_.answer("disable"); }
  profiler::CuptiResult start() override { return script_.answer("start"); }
  profiler::CuptiResult stop() override { return script_.answer("stop"); }
  profiler::CuptiResult read(std::vector<profiler::CounterSample>& samples, bool& overflow) override {
    samples = script_.samples;
    overflow = script_.overflow;
    return script_.answer("read");
  }
  std::string describe(const profiler::CuptiResult& result) const override {
    return "FAKE_" + std::to_string(static_cast<int>(result.fault));
  }

 private:
  SamplingScript& script_;
};

}  // namespace fake
