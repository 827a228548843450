// The session's thread: opens the backend, takes commands between steps, steps, publishes.
#include "engine/session/session.h"

#include "engine/session/command_queue.h"
#include "engine/session/snapshot_version.h"
#include "engine/session/stepper.h"

#include <fmt/core.h>

#include <chrono>
#include <exception>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

namespace engine {

namespace {

using Clock = Stepper::Clock;
// No more than about 120 snapshots a second: no display shows more, and tokens are recorded all the same.
constexpr std::chrono::microseconds publish_period{8300};
// What an edit steps again is shown when it is complete, unless that takes longer than this.
constexpr std::chrono::milliseconds replay_patience{60};

class ThreadedSession : public Session {
 public:
  ThreadedSession(std::shared_ptr<const Model> model, SessionOptions options)
      : model_(std::move(model)), options_(std::move(options)) {}
  ~ThreadedSession() override = default;  // thread_ is the last member: asked to stop and joined first

  // Returns when the backend is open and the first snapshot published, or with the reason why not.
  Result<void> start(const BackendFactory& make) {
    std::promise<Result<void>> opened;
    std::future<Result<void>> answer = opened.get_future();
    thread_ = std::jthread([this, make, opened = std::move(opened)](const std::stop_token& stop) mutable {
      run(stop, make, std::move(opened));
      queue_.close();
    });
    return answer.get();
  }

  void post(Command command) override { queue_.post(std::move(command)); }

  std::shared_ptr<const Snapshot> snapshot() const override {
    const std::lock_guard lock(newest_mutex_);
    return newest_;
  }

  void wait_idle() override { queue_.wait_idle(); }

 private:
  void run(const std::stop_token& stop, const BackendFactory& make, std::promise<Result<void>> opened) {
    std::unique_ptr<Backend> backend;
    std::unique_ptr<Stepper> stepper;
    try {
      auto made = make();
      if (!made) return opened.set_value(tl::unexpected(made.error()));
      backend = std::move(*made);
      stepper = std::make_unique<Stepper>(*backend, model_, options_);
      publish(*stepper);
    } catch (const std::exception& e) {
      return opened.set_value(system_error(fmt::format("Opening the backend failed: {}.", e.what())));
    }
    opened.set_value({});
    while (!stop.stop_requested()) {
      try {
        turn(stop, *stepper);
      } catch (const std::exception& e) {
        stepper->fail({ErrorKind::system, fmt::format("The step stopped: {}.", e.what())});
        changed_ = true;
      }
    }
  }

  // Takes what was posted, then does one step of work, or waits.
  void turn(const std::stop_token& stop, Stepper& stepper) {
    const bool replaying = stepper.replaying();
    for (const Command& command : queue_.take()) {
      stepper.apply(command);
      changed_ = true;
    }
    if (!replaying && stepper.replaying()) held_until_ = Clock::now() + replay_patience;
    if (!stepper.has_work()) {
      if (changed_) publish(stepper);
      queue_.wait(stop);
      return;
    }
    const bool held = stepper.replaying() && Clock::now() < held_until_;
    if (changed_ && !held && Clock::now() - published_ >= publish_period) publish(stepper);
    if (const auto due = stepper.due(); due && *due > Clock::now()) {
      // A snapshot that was held back goes out before a long wait.
      if (changed_ && *due - Clock::now() > publish_period) publish(stepper);
      queue_.wait_until(stop, *due);
      return;
    }
    stepper.work();
    changed_ = true;
  }

  void publish(const Stepper& stepper) {
    auto snapshot = std::make_shared<Snapshot>();
    stepper.fill(*snapshot);
    snapshot->version = next_snapshot_version();
    std::shared_ptr<const Snapshot> old = std::move(snapshot);
    {
      const std::lock_guard lock(newest_mutex_);
      newest_.swap(old);
    }
    changed_ = false;
    published_ = Clock::now();
    if (options_.on_publish) options_.on_publish();
  }

  std::shared_ptr<const Model> model_;
  SessionOptions options_;
  CommandQueue queue_;
  mutable std::mutex newest_mutex_;
  std::shared_ptr<const Snapshot> newest_;
  // Below: the session's thread only.
  bool changed_ = false;  // since the last snapshot
  Clock::time_point published_{}, held_until_{};
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<Session>> Session::open_on(const BackendFactory& make, std::shared_ptr<const Model> model,
                                                  SessionOptions options) {
  auto session = std::make_unique<ThreadedSession>(std::move(model), std::move(options));
  if (auto started = session->start(make); !started) return tl::unexpected(started.error());
  return session;
}

}  // namespace engine
