// The one CUPTI activity session of the process: from before the first CUDA call to the end, selected by step in
// software. The launching thread tags its work; a collector thread reads the buffers that come back, joins work and
// tags, and hands both to whoever listens for that source. Any failure of CUPTI ends in a status, never in the program.
#pragma once

#include "profiler/activity/attribution.h"
#include "profiler/activity/buffer_pool.h"
#include "profiler/activity/graph_stages.h"
#include "profiler/activity/names.h"
#include "profiler/activity/stage_time.h"
#include "profiler/clock/alignment.h"
#include "profiler/cupti/api.h"

#include <tl/expected.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace profiler {

// Gets what was measured; called on the collector thread.
class TimesListener {
 public:
  virtual ~TimesListener() = default;
  // Work tagged with this listener's source.
  virtual void tagged(std::span<const StageTime> times) = 0;
  // Work of the process that was issued under no tag: uploads, read-backs, other libraries.
  virtual void untagged(std::span<const StageTime> times) = 0;
};

// A node of a recorded CUDA graph (a cudaGraphNode_t), and its stage.
struct NodeStage {
  const void* node = nullptr;
  std::uint16_t stage = 0;
};

struct ActivityOptions {
  std::size_t buffers = 32;
  std::size_t buffer_bytes = std::size_t{1} << 20;
  // While stepping: a flush takes the stepping thread some 0.2 ms. Views draw new times ten times a second.
  std::chrono::milliseconds flush_every{100};
  std::chrono::milliseconds flush_when_quiet{10};  // once no step has followed for so long, by the collector
  std::chrono::milliseconds align_every{1000};
};

class ActivitySession {
 public:
  // Subscribes, enables the kinds, aligns the clocks, starts the collector.
  static tl::expected<std::unique_ptr<ActivitySession>, Unavailable> start(std::unique_ptr<CuptiApi> api,
                                                                           const ActivityOptions& options = {});
  ~ActivitySession();
  ActivitySession(const ActivitySession&) = delete;
  ActivitySession& operator=(const ActivitySession&) = delete;

  // On the launching thread, around what is issued for the tag; calls nest.
  void begin_work(const Tag& tag);
  void end_work();
  // The work issued so far has finished on the device. Flushes when the last flush is old enough; else the collector
  // does, once nothing follows. Same thread.
  void work_finished();
  // Everything finished so far reaches the listeners before this returns. Call after a synchronise; any thread but the
  // collector's.
  void flush();

  // Before the first launch of a graph, whose nodes these are: from now on work of its copies is of their stages. False:
  // this library cannot tell, and status() says why; such work is of the stage `unknown_stage`. Same thread.
  bool know_graph(std::span<const NodeStage> nodes);

  void listen(std::uint16_t source, TimesListener* listener);
  // No call to the listener after this returns.
  void forget(std::uint16_t source);

  // Final flush, disable, unsubscribe, join. Call after a synchronise. Idempotent.
  void stop();

  ProfilerStatus status() const;
  std::string name(std::uint32_t number) const { return names_.text(number); }

 private:
  ActivitySession(std::unique_ptr<CuptiApi> api, const ActivityOptions& options);
  void collect(const std::stop_token& stop);
  void read_full_buffers();
  void settle(bool final);
  void deliver();
  void align();
  void count_dropped();
  void flush_library(bool forced);

  std::unique_ptr<CuptiApi> api_;
  ActivityOptions options_;
  BufferPool pool_;
  Names names_;
  GraphStages graph_stages_;
  CuptiResult graphs_watched_;
  // The collector's own; start() and stop() touch them while it does not run.
  ClockMap clock_;
  Attribution attribution_;
  std::uint64_t unreadable_ = 0;  // buffers given up half way

  mutable std::mutex status_mutex_;
  ProfilerStatus status_;

  std::mutex listeners_mutex_;
  std::map<std::uint16_t, TimesListener*> listeners_;

  std::atomic<std::int64_t> last_flush_ns_{0}, last_finished_ns_{0};
  std::atomic<bool> unflushed_{false}, stopped_{false};
  std::atomic<std::uint64_t> push_failures_{0};

  std::mutex wake_mutex_;
  std::condition_variable_any wake_;
  std::uint64_t flushes_asked_ = 0, flushes_done_ = 0;
  std::jthread collector_;  // last: it uses all of the above
};

}  // namespace profiler
