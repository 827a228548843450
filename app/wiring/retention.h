// Measures how long a token's contribution to a layer's state lasts (engine/effect/retention_probe.h), in the background:
// a backend of its own on a thread of its own steps the context's tokens twice; what it found is published as a value that
// never changes.
#pragma once

#include "engine/effect/retention_probe.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace app {

struct RetentionReport {
  bool running = true;
  bool cancelled = false;
  double done = 0;     // 0..1
  double seconds = 0;  // that it took
  std::string device;  // that did it
  std::weak_ptr<const engine::Model> model;
  std::optional<engine::Error> error;  // why it ended early
  std::vector<std::int32_t> ids;       // of the context
  int layer = 0;
  std::int64_t token = 0;
  std::vector<engine::Intervention> interventions;      // in force
  std::shared_ptr<const engine::RetentionProbe> probe;  // null until it is whole
};

class RetentionJob {
 public:
  struct Options {
    std::vector<std::int32_t> ids;
    int layer = 0;
    std::int64_t token = 0;
    std::vector<engine::Intervention> interventions = {};  // in force
    engine::BackendChoice backend = engine::BackendChoice::automatic;
    int threads = 0;  // cpu only; 0: half of the cores, so that the window stays smooth
  };

  // Starts at once. `on_progress` is called on the thread, at most twenty times a second and at the end.
  RetentionJob(std::shared_ptr<const engine::Model> model, Options options, std::function<void()> on_progress);
  RetentionJob(const RetentionJob&) = delete;
  RetentionJob& operator=(const RetentionJob&) = delete;

  std::shared_ptr<const RetentionReport> report() const;  // never null
  bool running() const { return report()->running; }
  // Asks it to end within a step. Does not wait.
  void cancel() { thread_.request_stop(); }

 private:
  engine::Result<void> run(const std::stop_token& stop);
  void publish();

  const std::shared_ptr<const engine::Model> model_;
  const Options options_;
  const std::function<void()> on_progress_;
  RetentionReport working_;  // the thread's own
  mutable std::mutex mutex_;
  std::shared_ptr<const RetentionReport> published_;
  std::jthread thread_;  // last: asked to stop and joined first
};

}  // namespace app
