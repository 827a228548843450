#include "app/wiring/token_samples.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

namespace app {

namespace {

// As the profile's steps: with an observer kernels run one by one where they are launched one by one.
class Watching : public engine::Observer {
 public:
  void step_begin(std::int64_t) override {}
  void before(const engine::Stage&) override {}
  void after(const engine::Stage&) override {}
  void step_end(std::int64_t) override {}
};

void pause(std::int64_t ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }

}  // namespace

const std::vector<std::string>& sampled_metrics() {
  static const std::vector<std::string> metrics = {"sm__cycles_active.avg.pct_of_peak_sustained_elapsed",
                                                   "dram__read_throughput.avg.pct_of_peak_sustained_elapsed",
                                                   "dram__write_throughput.avg.pct_of_peak_sustained_elapsed",
                                                   "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed",
                                                   "sm__warps_active.avg.pct_of_peak_sustained_elapsed"};
  return metrics;
}

std::string sample_name(const std::string& metric) {
  static const char* const names[] = {"SM active", "DRAM read", "DRAM write", "tensor active", "warps active"};
  for (std::size_t i = 0; i < sampled_metrics().size(); ++i)
    if (sampled_metrics()[i] == metric) return names[i];
  return metric;
}

engine::Result<TokenSamples> sample_tokens(engine::Backend& backend, std::span<const std::int32_t> ids,
                                           profiler::SamplingSession& session, const SamplingRun& run) {
  TokenSamples out;
  out.chip = session.chip();
  out.library = session.library();
  out.metrics = session.metrics();
  out.missing = session.missing();
  out.interval_ns = static_cast<std::int64_t>(session.interval_ns());
  const auto batch = static_cast<std::size_t>(backend.plan().batch);
  Watching observer;
  session.begin();
  for (int t = 0; t < run.tokens; ++t) {
    pause(run.pause_ns);
    if (auto stepped = backend.step(ids.subspan(static_cast<std::size_t>(t) * batch, batch), &observer); !stepped)
      return tl::unexpected(stepped.error());
  }
  pause(run.pause_ns);
  session.end();
  const auto sampled = session.read();
  if (!sampled) {
    out.why = sampled.error();
    return out;
  }
  out.overflow = sampled->overflow;
  const auto runs = profiler::busy_runs(sampled->samples, 0, static_cast<std::uint64_t>(run.pause_ns) / 2);
  if (runs.size() != static_cast<std::size_t>(run.tokens)) {
    out.why = {fmt::format("{} samples show {} pieces of work where {} tokens were stepped{}.", sampled->samples.size(),
                           runs.size(), run.tokens, out.overflow ? ", and some were lost" : ""),
               "Sample while nothing else runs on the device, fewer --steps or a smaller model."};
    return out;
  }
  for (const auto& [first, last] : runs) {
    SampledToken token;
    token.token = static_cast<std::uint32_t>(out.tokens.size());
    const std::uint64_t begin = sampled->samples[first].start_ns;
    for (std::size_t i = first; i < last; ++i) {
      token.start_ns.push_back(static_cast<std::int64_t>(sampled->samples[i].start_ns - begin));
      token.values.push_back(sampled->samples[i].values);
    }
    out.tokens.push_back(std::move(token));
  }
  return out;
}

}  // namespace app
