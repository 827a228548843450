#include "profiler/counters/session.h"

#include "profiler/cupti/explain.h"

#include <fmt/format.h>

namespace profiler {

tl::expected<CounterSession, Unavailable> CounterSession::start(std::unique_ptr<CounterApi> api,
                                                                const std::vector<std::string>& metrics,
                                                                std::size_t ranges) {
  CounterSession session(std::move(api));
  CounterApi& cupti = *session.api_;
  session.note("open the counters", cupti.open(session.chip_));
  if (session.failure_) return tl::unexpected<Unavailable>(*session.failure_);
  for (const std::string& metric : metrics)
    (cupti.knows(metric) ? session.metrics_ : session.missing_).push_back(metric);
  if (session.metrics_.empty()) {
    return tl::unexpected<Unavailable>(
        Unavailable{fmt::format("CUPTI knows none of the counters for the chip {}.", session.chip_),
                    "Point MAMBASCOPE_CUPTI at the folder of a libcupti that is as new as the device."});
  }
  session.note("plan the passes", cupti.choose(session.metrics_, session.passes_));
  if (!session.failure_) session.note("take the counters of the device", cupti.enable(ranges));
  if (session.failure_) return tl::unexpected<Unavailable>(*session.failure_);
  return session;
}

CounterSession::~CounterSession() {
  if (api_) api_->disable();
}

void CounterSession::note(const char* doing, const CuptiResult& result) {
  if (!result.ok() && !failure_) failure_ = explain(doing, api_->describe(result), result.fault);
}

void CounterSession::begin_pass() {
  if (!failure_) note("begin a pass", api_->begin_pass());
}

void CounterSession::begin_range(const std::string& name) {
  if (!failure_) note("begin a range", api_->begin_range(name));
}

void CounterSession::end_range() {
  if (!failure_) note("end a range", api_->end_range());
}

bool CounterSession::end_pass() {
  if (failure_) return false;
  bool complete = false;
  note("end a pass", api_->end_pass(complete));
  ++passes_made_;
  // A library that never says that it has all would be asked for ever.
  if (!failure_ && !complete && passes_made_ >= 4 * passes_ + 4) {
    failure_ = Unavailable{fmt::format("CUPTI announced {} passes and wants more after {}.", passes_, passes_made_),
                           "Check that libcupti belongs to the driver's CUDA version."};
  }
  return !failure_ && !complete;
}

tl::expected<CounterSession::Counted, Unavailable> CounterSession::read() {
  Counted counted;
  if (!failure_) note("read the counters", api_->read(counted.ranges, counted.dropped));
  api_->disable();
  if (failure_) return tl::unexpected<Unavailable>(*failure_);
  return counted;
}

}  // namespace profiler
