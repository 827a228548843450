#include "app/wiring/stage_counters.h"

#include <chrono>
#include <cstring>
#include <numeric>

namespace app {

namespace {

// A range around the work of each stage, named by its id.
class RangeObserver : public engine::Observer {
 public:
  explicit RangeObserver(profiler::CounterSession& session) : session_(session) {}
  void step_begin(std::int64_t) override {}
  void before(const engine::Stage& stage) override { session_.begin_range(std::to_string(stage.id)); }
  void after(const engine::Stage&) override { session_.end_range(); }
  void step_end(std::int64_t) override {}

 private:
  profiler::CounterSession& session_;
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

engine::Result<std::vector<float>> logits_of(engine::Backend& backend, int batch, std::size_t count) {
  std::vector<float> all(static_cast<std::size_t>(batch) * count);
  for (int b = 0; b < batch; ++b) {
    const std::span<float> one{all.data() + static_cast<std::size_t>(b) * count, count};
    if (auto read = backend.read_logits(b, one); !read) return tl::unexpected(read.error());
  }
  return all;
}

engine::Result<void> restore(engine::Backend& backend, const std::vector<engine::SequenceState>& saved) {
  for (std::size_t b = 0; b < saved.size(); ++b) {
    if (auto done = backend.restore(static_cast<int>(b), saved[b]); !done) return done;
  }
  return {};
}

}  // namespace

const std::vector<std::string>& counted_metrics() {
  static const std::vector<std::string> metrics = {"dram__bytes_read.sum",
                                                   "dram__bytes_write.sum",
                                                   "lts__t_bytes.sum",
                                                   "dram__throughput.avg.pct_of_peak_sustained_elapsed",
                                                   "sm__throughput.avg.pct_of_peak_sustained_elapsed",
                                                   "sm__warps_active.avg.pct_of_peak_sustained_active",
                                                   "gpu__time_duration.sum"};
  return metrics;
}

engine::Result<StageCounters> count_stages(engine::Backend& backend, std::span<const std::int32_t> ids, int layers,
                                           std::size_t logits, profiler::CounterSession& session,
                                           const std::function<void(double)>& progress) {
  StageCounters out;
  out.chip = session.chip();
  out.library = session.library();
  out.metrics = session.metrics();
  out.missing = session.missing();
  const int batch = backend.plan().batch;
  const auto start = std::chrono::steady_clock::now();
  std::vector<int> all_layers(static_cast<std::size_t>(layers));
  std::iota(all_layers.begin(), all_layers.end(), 0);
  std::vector<engine::SequenceState> saved(static_cast<std::size_t>(batch));
  for (int b = 0; b < batch; ++b) {
    auto read = backend.read_state(b, all_layers, true, saved[static_cast<std::size_t>(b)]);
    if (!read) return tl::unexpected(read.error());
  }
  RangeObserver observer(session);
  std::vector<float> first;
  out.same_bits = true;
  for (bool more = true; more; ++out.passes) {
    session.begin_pass();
    if (auto stepped = backend.step(ids, &observer); !stepped) return tl::unexpected(stepped.error());
    more = session.end_pass();
    auto left = logits_of(backend, batch, logits);
    if (!left) return tl::unexpected(left.error());
    if (out.passes == 0) first = *left;
    out.same_bits = out.same_bits && same_bits(first, *left);
    if (auto done = restore(backend, saved); !done) return tl::unexpected(done.error());
    progress(static_cast<double>(out.passes + 1) / static_cast<double>(session.passes()));
  }
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  auto counted = session.read();
  if (!counted) {
    out.why = counted.error();
    return out;
  }
  out.dropped = counted->dropped;
  out.values.resize(backend.plan().stages.size());
  for (const profiler::CountedRange& range : counted->ranges) {
    for (const engine::Stage& stage : backend.plan().stages) {
      if (range.name == std::to_string(stage.id)) out.values[static_cast<std::size_t>(stage.id)] = range.values;
    }
  }
  return out;
}

}  // namespace app
