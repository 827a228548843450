#include "profiler/activity/session.h"

#include "profiler/clock/steady.h"
#include "profiler/cupti/explain.h"

#include <fmt/format.h>

namespace profiler {

namespace {

constexpr ActivityKind kinds[] = {ActivityKind::kernel,    ActivityKind::memcpy,
                                  ActivityKind::memset,    ActivityKind::external_correlation,
                                  ActivityKind::api_calls, ActivityKind::overhead};

std::string version_text(std::uint32_t version) {
  if (version < 10000) return fmt::format("API {}", version);
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace

ActivitySession::ActivitySession(std::unique_ptr<CuptiApi> api, const ActivityOptions& options)
    : api_(std::move(api)),
      options_(options),
      pool_(options.buffers, options.buffer_bytes),
      attribution_(names_, clock_, graph_stages_) {}

tl::expected<std::unique_ptr<ActivitySession>, Unavailable> ActivitySession::start(std::unique_ptr<CuptiApi> api,
                                                                                   const ActivityOptions& options) {
  const auto refuse = [&](const char* doing, const CuptiResult& result) {
    return tl::unexpected<Unavailable>(explain(doing, api->describe(result), result.fault));
  };
  std::uint32_t version = 0;
  if (const CuptiResult result = api->version(version); !result.ok()) return refuse("tell its version", result);
  if (version < api->minimum_version()) {
    return tl::unexpected<Unavailable>(
        Unavailable{fmt::format("{} is version {}; this program reads the records of {} and newer.", api->path(),
                                version_text(version), version_text(api->minimum_version())),
                    "Install the CUPTI of the toolkit that the program was built with, or set MAMBASCOPE_CUPTI to its "
                    "folder."});
  }
  if (const CuptiResult result = api->subscribe(); !result.ok()) return refuse("subscribe", result);

  std::unique_ptr<ActivitySession> session(new ActivitySession(std::move(api), options));
  CuptiApi& cupti = *session->api_;
  const auto give_up = [&](const char* doing, const CuptiResult& result) {
    Unavailable why = explain(doing, cupti.describe(result), result.fault);
    cupti.unsubscribe();
    session->stopped_ = true;
    // CUPTI may keep the callbacks: the pool behind them must live as long as the process.
    static auto* kept = new std::vector<std::unique_ptr<ActivitySession>>;
    kept->push_back(std::move(session));
    return tl::unexpected<Unavailable>(std::move(why));
  };
  if (const CuptiResult result = cupti.exchange_buffers(session->pool_); !result.ok()) {
    return give_up("register the buffer callbacks", result);
  }
  for (const ActivityKind kind : kinds) {
    const CuptiResult result = cupti.enable(kind);
    // Without overhead records only the view of CUPTI's own cost is poorer.
    if (!result.ok() && kind != ActivityKind::overhead) return give_up("enable activity records", result);
  }
  session->graphs_watched_ = cupti.watch_graphs(session->graph_stages_);
  session->align();
  if (session->clock_.empty()) return give_up("read its clock", {CuptiFault::other, 0});

  ProfilerStatus& status = session->status_;
  status.source = TimeSource::cupti;
  status.tier = 1;
  status.available = true;
  status.library = cupti.path();
  status.version = version_text(version);
  session->collector_ = std::jthread([raw = session.get()](const std::stop_token& stop) { raw->collect(stop); });
  return session;
}

ActivitySession::~ActivitySession() { stop(); }

void ActivitySession::begin_work(const Tag& tag) {
  if (!stopped_ && !api_->push(tag.pack()).ok()) push_failures_.fetch_add(1, std::memory_order_relaxed);
}

void ActivitySession::end_work() {
  if (!stopped_ && !api_->pop().ok()) push_failures_.fetch_add(1, std::memory_order_relaxed);
}

void ActivitySession::work_finished() {
  if (stopped_) return;
  const std::int64_t now = steady_now_ns();
  last_finished_ns_ = now;
  if (now - last_flush_ns_ < std::chrono::nanoseconds(options_.flush_every).count()) {
    unflushed_ = true;
    return;
  }
  flush_library(false);
  {
    const std::lock_guard lock(wake_mutex_);
    ++flushes_asked_;
  }
  wake_.notify_all();
}

void ActivitySession::flush() {
  if (stopped_) return;
  flush_library(false);
  std::unique_lock lock(wake_mutex_);
  // Twice: work is called untagged only when it waited across a whole flush.
  const std::uint64_t mine = flushes_asked_ += 2;
  wake_.notify_all();
  wake_.wait(lock, [&] { return flushes_done_ >= mine; });
}

void ActivitySession::flush_library(bool forced) {
  unflushed_ = false;
  last_flush_ns_ = steady_now_ns();
  const CuptiResult result = api_->flush(forced);
  if (!result.ok()) {
    const std::lock_guard lock(status_mutex_);
    status_.reason = fmt::format("CUPTI could not flush its records: {}.", api_->describe(result));
    status_.remedy = "Times may be missing; start the program again.";
  }
  count_dropped();
}

void ActivitySession::count_dropped() {
  std::uint64_t since_last = 0;
  if (!api_->dropped(since_last).ok() || since_last == 0) return;
  const std::lock_guard lock(status_mutex_);
  status_.dropped += since_last;
}

bool ActivitySession::know_graph(std::span<const NodeStage> nodes) {
  if (stopped_) return false;
  CuptiResult result = graphs_watched_;
  for (const NodeStage& node : nodes) {
    if (!result.ok()) break;
    std::uint64_t id = 0;
    result = api_->graph_node_id(node.node, id);
    if (result.ok()) graph_stages_.know(id, node.stage);
  }
  if (result.ok()) return true;
  const std::lock_guard lock(status_mutex_);
  status_.reason = fmt::format("CUPTI could not tell the nodes of a CUDA graph: {}.", api_->describe(result));
  status_.remedy = "Point MAMBASCOPE_CUPTI at the libcupti of this toolkit, or step without a graph.";
  return false;
}

void ActivitySession::listen(std::uint16_t source, TimesListener* listener) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_[source] = listener;
}

void ActivitySession::forget(std::uint16_t source) {
  const std::lock_guard lock(listeners_mutex_);
  listeners_.erase(source);
}

void ActivitySession::collect(const std::stop_token& stop) {
  using std::chrono::milliseconds;
  auto next_align = std::chrono::steady_clock::now() + options_.align_every;
  while (!stop.stop_requested()) {
    std::uint64_t asked = 0, done = 0;
    {
      std::unique_lock lock(wake_mutex_);
      const auto patience = milliseconds(unflushed_ ? 5 : 50);
      wake_.wait_for(lock, stop, patience, [&] { return flushes_asked_ != flushes_done_; });
      asked = flushes_asked_;
      done = flushes_done_;
    }
    const std::int64_t quiet_ns = steady_now_ns() - last_finished_ns_;
    const bool flush_late = unflushed_ && quiet_ns > std::chrono::nanoseconds(options_.flush_when_quiet).count();
    if (flush_late) flush_library(false);
    read_full_buffers();
    if (asked != done || flush_late) settle(false);
    if (asked >= done + 2) settle(false);
    deliver();
    if (std::chrono::steady_clock::now() >= next_align) {
      align();
      next_align += options_.align_every;
    }
    if (asked != done) {
      {
        const std::lock_guard lock(wake_mutex_);
        flushes_done_ = asked;
      }
      wake_.notify_all();
    }
  }
}

void ActivitySession::read_full_buffers() {
  while (const std::optional<FullBuffer> full = pool_.take_full()) {
    const CuptiResult result = api_->read(full->data, full->valid_bytes, attribution_);
    pool_.recycle(full->data);
    if (!result.ok()) {
      const std::lock_guard lock(status_mutex_);
      status_.reason = fmt::format("A buffer of CUPTI's could not be read to its end: {}.", api_->describe(result));
      status_.remedy = "Some times are missing.";
      ++unreadable_;
    }
  }
}

void ActivitySession::settle(bool final) { attribution_.settle(final); }

void ActivitySession::deliver() {
  const std::vector<StageTime> tagged = attribution_.take_tagged();
  const std::vector<StageTime> untagged = attribution_.take_untagged();
  {
    const std::lock_guard lock(listeners_mutex_);
    // One call for each run of the same source: nearly always one.
    for (std::size_t first = 0; first < tagged.size();) {
      std::size_t last = first;
      while (last < tagged.size() && tagged[last].tag.source == tagged[first].tag.source) ++last;
      const auto listener = listeners_.find(tagged[first].tag.source);
      if (listener != listeners_.end()) listener->second->tagged({tagged.data() + first, last - first});
      first = last;
    }
    if (!untagged.empty()) {
      for (const auto& [source, listener] : listeners_) listener->untagged(untagged);
    }
  }
  const std::lock_guard lock(status_mutex_);
  const Attribution::Counts& counts = attribution_.counts();
  status_.records = counts.records;
  status_.invalid = counts.invalid + unreadable_;
  status_.untagged += untagged.size();
  status_.overhead_ns = counts.overhead_ns;
}

void ActivitySession::align() {
  const auto anchor = align_clocks(steady_now_ns, [this]() -> std::optional<std::uint64_t> {
    std::uint64_t now = 0;
    if (!api_->timestamp(now).ok()) return std::nullopt;
    return now;
  });
  if (!anchor) return;
  clock_.add(*anchor);
  const std::lock_guard lock(status_mutex_);
  status_.clock_uncertainty_ns = clock_.uncertainty_ns();
}

void ActivitySession::stop() {
  if (stopped_.exchange(true)) return;
  flush_library(true);
  collector_.request_stop();
  wake_.notify_all();
  if (collector_.joinable()) collector_.join();
  read_full_buffers();
  settle(true);
  deliver();
  for (const ActivityKind kind : kinds) api_->disable(kind);
  // No cuptiFinalize: it is unsafe while other threads may be in CUDA.
  api_->unsubscribe();
  const std::lock_guard lock(wake_mutex_);
  flushes_done_ = flushes_asked_;
  wake_.notify_all();
}

ProfilerStatus ActivitySession::status() const {
  const std::lock_guard lock(status_mutex_);
  ProfilerStatus status = status_;
  if (const std::uint64_t refused = pool_.refused(); refused != 0 && status.reason.empty()) {
    status.reason =
        fmt::format("CUPTI found no free buffer {} times; {} records were dropped.", refused, status.dropped);
    status.remedy = "Profile fewer tokens at a time.";
  }
  if (const std::uint64_t failures = push_failures_; failures != 0) {
    status.reason = fmt::format("CUPTI refused {} stage tags; some times belong to no stage.", failures);
    status.remedy = "Point MAMBASCOPE_CUPTI at the libcupti of this toolkit.";
  }
  return status;
}

}  // namespace profiler
