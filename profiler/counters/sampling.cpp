#include "profiler/counters/sampling.h"

#include "profiler/cupti/explain.h"

#include <fmt/format.h>

namespace profiler {

tl::expected<SamplingSession, Unavailable> SamplingSession::start(std::unique_ptr<SamplingApi> api,
                                                                  const std::vector<std::string>& metrics,
                                                                  std::uint64_t interval_ns, std::size_t most_samples) {
  SamplingSession session(std::move(api));
  SamplingApi& cupti = *session.api_;
  session.interval_ns_ = interval_ns;
  session.note("open the samples of the counters", cupti.open(session.chip_));
  if (session.failure_) return tl::unexpected<Unavailable>(*session.failure_);
  for (const std::string& metric : metrics)
    (cupti.knows(metric) ? session.metrics_ : session.missing_).push_back(metric);
  session.choose();
  if (!session.failure_ && session.metrics_.empty()) {
    return tl::unexpected<Unavailable>(
        Unavailable{fmt::format("CUPTI can sample none of the counters on the chip {}.", session.chip_),
                    "Point MAMBASCOPE_CUPTI at the folder of a libcupti that is as new as the device."});
  }
  if (!session.failure_) session.note("sample the counters of the device", cupti.enable(interval_ns, most_samples));
  if (session.failure_) return tl::unexpected<Unavailable>(*session.failure_);
  return session;
}

void SamplingSession::choose() {
  std::size_t passes = 2;
  while (!failure_ && !metrics_.empty() && passes > 1) {
    note("plan the samples", api_->choose(metrics_, passes));
    if (failure_ || passes <= 1) return;
    missing_.push_back(metrics_.back());
    metrics_.pop_back();
  }
}

SamplingSession::~SamplingSession() {
  if (api_) api_->disable();
}

void SamplingSession::note(const char* doing, const CuptiResult& result) {
  if (!result.ok() && !failure_) failure_ = explain(doing, api_->describe(result), result.fault);
}

void SamplingSession::begin() {
  if (!failure_) note("begin to sample", api_->start());
}

void SamplingSession::end() {
  if (!failure_) note("end the samples", api_->stop());
}

tl::expected<SamplingSession::Sampled, Unavailable> SamplingSession::read() {
  Sampled out;
  if (!failure_) note("read the samples", api_->read(out.samples, out.overflow));
  api_->disable();
  if (failure_) return tl::unexpected<Unavailable>(*failure_);
  return out;
}

std::vector<std::pair<std::size_t, std::size_t>> busy_runs(const std::vector<CounterSample>& samples,
                                                           std::size_t metric, std::uint64_t least_gap_ns) {
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (metric >= samples[i].values.size() || !(samples[i].values[metric] > 0)) continue;
    if (out.empty() || samples[i].start_ns > samples[out.back().second - 1].end_ns + least_gap_ns)
      out.emplace_back(i, i + 1);
    else
      out.back().second = i + 1;
  }
  return out;
}

}  // namespace profiler
