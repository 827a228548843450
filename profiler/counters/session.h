// Counts what ranges of work do to the hardware, in as many passes of the same work as the chip needs. Whoever runs the
// work brings it back to the same state before each pass. One thread, the one that owns the CUDA context; the process has
// no activity session. A failure stops the counting, never the work: it is kept, and every call after it does nothing.
#pragma once

#include "profiler/counters/api.h"

#include <tl/expected.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace profiler {

class CounterSession {
 public:
  // Metrics that the chip does not have are left out (missing()). Error: none of them, or whatever CUPTI refuses.
  static tl::expected<CounterSession, Unavailable> start(std::unique_ptr<CounterApi> api,
                                                         const std::vector<std::string>& metrics, std::size_t ranges);
  CounterSession(CounterSession&&) noexcept = default;
  CounterSession& operator=(CounterSession&&) noexcept = default;
  ~CounterSession();

  const std::string& chip() const { return chip_; }
  std::string library() const { return api_->path(); }
  std::size_t passes() const { return passes_; }
  const std::vector<std::string>& metrics() const { return metrics_; }  // that are counted, in the values' order
  const std::vector<std::string>& missing() const { return missing_; }

  void begin_pass();
  void begin_range(const std::string& name);
  void end_range();
  // True: another pass is needed. False: all is counted, or something failed.
  bool end_pass();
  const std::optional<Unavailable>& failure() const { return failure_; }

  struct Counted {
    std::vector<CountedRange> ranges;
    std::size_t dropped = 0;
  };
  // Once end_pass() has said that all is counted. Gives the counters back.
  tl::expected<Counted, Unavailable> read();

 private:
  explicit CounterSession(std::unique_ptr<CounterApi> api) : api_(std::move(api)) {}
  void note(const char* doing, const CuptiResult& result);

  std::unique_ptr<CounterApi> api_;
  std::string chip_;
  std::vector<std::string> metrics_, missing_;
  std::size_t passes_ = 0, passes_made_ = 0;
  std::optional<Unavailable> failure_;
};

}  // namespace profiler
