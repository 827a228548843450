#include "app/wiring/retention.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace app {

RetentionJob::RetentionJob(std::shared_ptr<const engine::Model> model, Options options,
                           std::function<void()> on_progress)
    : model_(std::move(model)), options_(std::move(options)), on_progress_(std::move(on_progress)) {
  working_.model = model_;
  working_.ids = options_.ids;
  working_.layer = options_.layer;
  working_.token = options_.token;
  working_.interventions = options_.interventions;
  published_ = std::make_shared<const RetentionReport>(working_);
  thread_ = std::jthread([this](const std::stop_token& stop) {
    if (auto done = run(stop); !done) working_.error = done.error();
    working_.cancelled = stop.stop_requested();
    working_.running = false;
    publish();
  });
}

std::shared_ptr<const RetentionReport> RetentionJob::report() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void RetentionJob::publish() {
  auto next = std::make_shared<const RetentionReport>(working_);
  {
    const std::lock_guard lock(mutex_);
    published_ = std::move(next);
  }
  if (on_progress_) on_progress_();
}

engine::Result<void> RetentionJob::run(const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds publish_period{50};
  engine::BackendOptions wanted;
  // The reference keeps its state in double, which a saved state cannot hold.
  wanted.choice = options_.backend == engine::BackendChoice::reference ? engine::BackendChoice::cpu : options_.backend;
  wanted.batch = 2;
  wanted.threads =
      options_.threads > 0 ? options_.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
  auto backend = engine::make_backend(model_->weights, wanted);
  if (!backend) return tl::unexpected(backend.error());
  working_.device = (*backend)->info().device;
  const auto start = Clock::now();
  auto told = start;
  auto probe = engine::probe_retention(
      **backend, *model_, options_.ids, options_.layer, options_.token,
      [&](double done) {
        if (stop.stop_requested()) return false;
        working_.done = done;
        if (Clock::now() - told >= publish_period) {
          told = Clock::now();
          publish();
        }
        return true;
      },
      options_.interventions);
  if (!probe) return tl::unexpected(probe.error());
  working_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!stop.stop_requested()) working_.probe = std::make_shared<const engine::RetentionProbe>(std::move(*probe));
  return {};
}

}  // namespace app
