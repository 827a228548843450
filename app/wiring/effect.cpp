#include "app/wiring/effect.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace app {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds publish_period{50};
constexpr int best_ids = 5, cpu_batch = 8, gpu_batch = 32;

int threads_of(int asked) {
  return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

}  // namespace

EffectJob::EffectJob(std::shared_ptr<const engine::Model> model, Options options, std::function<void()> on_progress)
    : model_(std::move(model)), options_(std::move(options)), on_progress_(std::move(on_progress)) {
  working_.ids = options_.ids;
  working_.interventions = options_.interventions;
  if (options_.ids.empty()) {
    working_.length = options_.evaluate.length;
    working_.sequences = options_.evaluate.sequences;
  }
  published_ = std::make_shared<const EffectReport>(working_);
  thread_ = std::jthread([this](const std::stop_token& stop) {
    if (auto done = run(stop); !done) working_.error = done.error();
    working_.state = stop.stop_requested() ? EffectReport::State::cancelled : EffectReport::State::done;
    publish();
  });
}

std::shared_ptr<const EffectReport> EffectJob::report() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void EffectJob::publish() {
  auto next = std::make_shared<const EffectReport>(working_);
  {
    const std::lock_guard lock(mutex_);
    published_ = std::move(next);
  }
  if (on_progress_) on_progress_();
}

bool EffectJob::tell(const std::stop_token& stop, double done) {
  if (stop.stop_requested()) return false;
  working_.done = done;
  const Clock::time_point now = Clock::now();
  if (now - told_ < publish_period) return true;
  told_ = now;
  publish();
  return true;
}

engine::Result<void> EffectJob::run(const std::stop_token& stop) {
  const auto start = Clock::now();
  engine::BackendOptions wanted;
  wanted.choice = options_.backend;
  const bool gpu = wanted.choice == engine::BackendChoice::cuda ||
                   (wanted.choice == engine::BackendChoice::automatic && engine::why_no_cuda().empty());
  wanted.threads = threads_of(options_.threads);
  wanted.batch = options_.ids.empty() ? std::min(gpu ? gpu_batch : cpu_batch, options_.evaluate.sequences)
                                      : 1 + static_cast<int>(effect_lambdas.size());
  auto backend = engine::make_backend(model_->weights, wanted);
  if (!backend) return tl::unexpected(backend.error());
  working_.device = (*backend)->info().device;
  engine::Result<void> result;
  if (options_.ids.empty()) {
    result = measure(stop, **backend);
  } else {
    auto tokens = engine::lambda_effect(
        **backend, *model_, options_.ids, effect_lambdas, best_ids, [&](double done) { return tell(stop, done); },
        options_.interventions);
    if (!tokens) return tl::unexpected(tokens.error());
    if (tokens->size() == options_.ids.size())
      working_.tokens = std::make_shared<const std::vector<engine::EffectToken>>(std::move(*tokens));
  }
  working_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

engine::Result<void> EffectJob::measure(const std::stop_token& stop, engine::Backend& backend) {
  const auto task = engine::task_of(*model_, "");
  if (!task) return tl::unexpected(task.error());
  engine::EvaluateOptions evaluate = options_.evaluate;
  evaluate.interventions = options_.interventions;
  const double parts = 1 + static_cast<double>(effect_lambdas.size());
  for (int part = 0; part < static_cast<int>(parts); ++part) {
    const double lambda = part == 0 ? -1 : effect_lambdas[static_cast<std::size_t>(part - 1)];
    auto counted = engine::evaluate_with_lambda(
        backend, model_->config(), **task, lambda, evaluate,
        [&](const engine::EvaluationProgress& now) { return tell(stop, (part + now.done) / parts); });
    if (!counted) return tl::unexpected(counted.error());
    if (stop.stop_requested()) return {};
    working_.accuracy.push_back(std::move(*counted));
  }
  return {};
}

}  // namespace app
