#include "app/wiring/parity.h"

#include "engine/verify/planted_error.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace app {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds publish_period{50};

int threads_of(int asked) {
  return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

}  // namespace

ParityJob::ParityJob(std::shared_ptr<const engine::Model> model, ParityQuestion question,
                     std::function<void()> on_progress)
    : model_(std::move(model)), question_(std::move(question)), on_progress_(std::move(on_progress)) {
  published_ = std::make_shared<const ParityProgressReport>(working_);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void ParityJob::cancel() {
  prefill_.cancelled = true;
  thread_.request_stop();
}

std::shared_ptr<const ParityProgressReport> ParityJob::report() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void ParityJob::publish() {
  auto next = std::make_shared<const ParityProgressReport>(working_);
  {
    const std::lock_guard lock(mutex_);
    published_ = std::move(next);
  }
  if (on_progress_) on_progress_();
}

engine::Result<engine::ParityReport> ParityJob::bench(const std::stop_token& stop) {
  std::shared_ptr<const engine::Weights> planted;
  if (!question_.plant.empty()) {
    auto made = engine::parse_planted_error(question_.plant).and_then([&](const engine::PlantedError& error) {
      return engine::plant(model_->weights, error);
    });
    if (!made) return tl::unexpected(made.error());
    planted = std::move(*made);
  }
  const auto candidates =
      engine::parity_candidates(planted ? *planted : model_->weights, threads_of(question_.threads));
  engine::ParityOptions options;
  options.interventions = question_.interventions;
  options.prefill_progress = &prefill_;
  const auto start = Clock::now();
  auto published = start - publish_period;
  return engine::run_parity_bench(model_->weights, question_.ids, candidates, options,
                                  [&](const engine::ParityReport& so_far, const std::string& now, double done) {
                                    if (stop.stop_requested()) return false;
                                    const auto time = Clock::now();
                                    if (time - published < publish_period) return true;
                                    published = time;
                                    if (working_.bench.rows.size() != so_far.rows.size()) working_.bench = so_far;
                                    working_.now = now;
                                    working_.done = done;
                                    working_.seconds = std::chrono::duration<double>(time - start).count();
                                    publish();
                                    return true;
                                  });
}

void ParityJob::run(const std::stop_token& stop) {
  const auto start = Clock::now();
  auto found = bench(stop);
  working_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  working_.state = ParityProgressReport::State::done;
  if (!found) {
    working_.error = found.error();
  } else {
    working_.bench = std::move(*found);
    if (working_.bench.cancelled) working_.state = ParityProgressReport::State::cancelled;
  }
  publish();
}

}  // namespace app
