// Writes what a session has recorded so far to a file, on a thread of its own, while the session goes on. Owned by the UI
// thread.
#pragma once

#include "engine/session/snapshot.h"
#include "profiler/activity/stage_time.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace app {

using TokenTimesList = std::vector<std::shared_ptr<const profiler::TokenTimes>>;

class RecordingJob {
 public:
  // Starts at once on the snapshot's tokens; it must hold at least one. `times` are those of its newest tokens. `on_done`
  // is called on the thread.
  RecordingJob(std::shared_ptr<const engine::Snapshot> snapshot, TokenTimesList times, std::string path,
               std::function<void()> on_done);
  ~RecordingJob() { cancel(); }
  RecordingJob(const RecordingJob&) = delete;
  RecordingJob& operator=(const RecordingJob&) = delete;

  bool running() const { return running_; }
  double done() const { return done_; }  // in [0, 1]
  void cancel() { thread_.request_stop(); }
  // One sentence about how it ended; empty while it runs, and from the second call on.
  std::string take_words();

 private:
  std::string run(const std::stop_token& stop, const engine::Snapshot& snapshot, const TokenTimesList& times,
                  const std::string& path);

  std::atomic<bool> running_{true};
  std::atomic<double> done_{0};
  std::mutex mutex_;
  std::string words_;
  std::jthread thread_;  // last: asked to stop and joined first
};

// "parity-64.safetensors": a name for the recording of so many tokens.
std::string recording_name(const engine::Snapshot& snapshot);

}  // namespace app
