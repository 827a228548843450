#include "app/wiring/evaluation.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace app {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds publish_period{50};

// Sequences stepped at a time. On a CPU a few fill its vectors, and more would leave the caches; a GPU's step of a small
// model takes about as long for many as for one.
constexpr int cpu_batch = 8, gpu_batch = 32;

int threads_of(int asked) {
  return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

// A card that names no family belongs to those of its task.
bool same_family(const engine::TaskCard& a, const engine::TaskCard& b) {
  return a.task == b.task && a.kind == b.kind && (a.family == b.family || a.family.empty() || b.family.empty());
}

}  // namespace

EvaluationJob::EvaluationJob(std::shared_ptr<const engine::Model> model, const Options& options,
                             std::function<void()> on_progress)
    : model_(std::move(model)), options_(options), on_progress_(std::move(on_progress)) {
  working_.choice = options_.choice;
  working_.interventions = options_.interventions;
  published_ = std::make_shared<const EvaluationReport>(working_);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

std::shared_ptr<const EvaluationReport> EvaluationJob::report() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void EvaluationJob::publish() {
  auto next = std::make_shared<const EvaluationReport>(working_);
  {
    const std::lock_guard lock(mutex_);
    published_ = std::move(next);
  }
  if (on_progress_) on_progress_();
}

void EvaluationJob::run(const std::stop_token& stop) {
  std::vector<std::shared_ptr<const engine::Model>> models = {model_};
  if (options_.choice.family) find_family(stop, models);
  working_.models_in_all = static_cast<int>(models.size());
  for (const auto& model : models) {
    if (stop.stop_requested()) break;
    evaluate(stop, *model);
  }
  working_.state =
      stop.stop_requested() && working_.done < 1 ? EvaluationReport::State::cancelled : EvaluationReport::State::done;
  publish();
}

void EvaluationJob::find_family(const std::stop_token& stop,
                                std::vector<std::shared_ptr<const engine::Model>>& models) const {
  for (const std::string& name : engine::builtin_models()) {
    if (stop.stop_requested()) return;
    // One that cannot be read is not known to belong to the family.
    if (const auto model = engine::load_model(name, options_.load);
        model && (*model)->path != model_->path && same_family((*model)->card, model_->card))
      models.push_back(*model);
  }
}

void EvaluationJob::evaluate(const std::stop_token& stop, const engine::Model& model) {
  const double before = static_cast<double>(working_.models.size());
  working_.models.push_back({model.name, model.card, {}, {}});
  ModelEvaluation& current = working_.models.back();
  const auto finish = [&] { working_.done = (before + 1) / working_.models_in_all; };

  const auto task = engine::task_of(model, "");
  if (!task) {
    current.error = task.error();
    return finish();
  }
  engine::BackendOptions wanted;
  wanted.choice = options_.backend;
  const bool gpu = wanted.choice == engine::BackendChoice::cuda ||
                   (wanted.choice == engine::BackendChoice::automatic && engine::why_no_cuda().empty());
  wanted.batch = std::min(gpu ? gpu_batch : cpu_batch, options_.choice.sequences);
  wanted.threads = threads_of(options_.threads);
  auto backend = engine::make_backend(model.weights, wanted);
  if (!backend) {
    current.error = backend.error();
    return finish();
  }
  working_.device = (*backend)->info().device;

  const auto start = Clock::now();
  const double seconds_before = working_.seconds;
  auto published = start - publish_period;
  const auto progress = [&](const engine::EvaluationProgress& now) {
    if (stop.stop_requested()) return false;
    const auto time = Clock::now();
    if (time - published < publish_period) return true;
    published = time;
    // The counts change only when a batch is complete.
    if (current.counts.sequences != now.so_far.sequences) current.counts = now.so_far;
    working_.done = (before + now.done) / working_.models_in_all;
    working_.seconds = seconds_before + std::chrono::duration<double>(time - start).count();
    publish();
    return true;
  };
  engine::EvaluateOptions evaluated{options_.choice.length, options_.choice.sequences, options_.choice.seed};
  if (&model == model_.get()) evaluated.interventions = options_.interventions;
  auto counted = engine::evaluate(**backend, model.config(), **task, evaluated, progress);
  working_.seconds = seconds_before + std::chrono::duration<double>(Clock::now() - start).count();
  if (!counted) {
    current.error = counted.error();
    return finish();
  }
  current.counts = std::move(*counted);
  if (current.counts.sequences == options_.choice.sequences) finish();
}

}  // namespace app
