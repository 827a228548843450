// Reads hardware counters at a fixed interval while work runs. What cannot be read in the same pass is left out: samples of
// several runs would not be of the same moments. A failure stops the sampling, never the work: it is kept, and every call
// after it does nothing. One thread; the process has no activity session.
#pragma once

#include "profiler/counters/sampling_api.h"

#include <tl/expected.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace profiler {

class SamplingSession {
 public:
  // `metrics` by importance: those that the chip does not have, and the last ones where all take more than a pass, are left
  // out (missing()). Error: none of them, or whatever CUPTI refuses.
  static tl::expected<SamplingSession, Unavailable> start(std::unique_ptr<SamplingApi> api,
                                                          const std::vector<std::string>& metrics,
                                                          std::uint64_t interval_ns, std::size_t most_samples);
  SamplingSession(SamplingSession&&) noexcept = default;
  SamplingSession& operator=(SamplingSession&&) noexcept = default;
  ~SamplingSession();

  const std::string& chip() const { return chip_; }
  std::string library() const { return api_->path(); }
  std::uint64_t interval_ns() const { return interval_ns_; }
  const std::vector<std::string>& metrics() const { return metrics_; }  // that are read, in the values' order
  const std::vector<std::string>& missing() const { return missing_; }

  // Around the work.
  void begin();
  void end();

  struct Sampled {
    std::vector<CounterSample> samples;
    bool overflow = false;
  };
  // After end(). Gives the counters back.
  tl::expected<Sampled, Unavailable> read();

 private:
  explicit SamplingSession(std::unique_ptr<SamplingApi> api) : api_(std::move(api)) {}
  void note(const char* doing, const CuptiResult& result);
  void choose();

  std::unique_ptr<SamplingApi> api_;
  std::string chip_;
  std::uint64_t interval_ns_ = 0;
  std::vector<std::string> metrics_, missing_;
  std::optional<Unavailable> failure_;
};

// The pieces of work that samples show, as [first, last) of them: runs in which a metric is not 0, apart by more than
// `least_gap_ns`.
std::vector<std::pair<std::size_t, std::size_t>> busy_runs(const std::vector<CounterSample>& samples,
                                                           std::size_t metric, std::uint64_t least_gap_ns);

}  // namespace profiler
