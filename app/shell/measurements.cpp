// Measurements in a second process that panels ask for: started, and their results put into the documents.
#include "app/shell/app.h"

#include <utility>

namespace app {

void App::serve_measurements() {
  const bool counters = std::exchange(workspace_.requests.measure_counters, false);
  const bool samples = std::exchange(workspace_.requests.measure_samples, false);
  const bool ranks = std::exchange(workspace_.requests.measure_ranks, false);
  for (Document& document : workspace_.documents) {
    if (document.counters_job) {
      if (auto found = document.counters_job->take_counters())
        document.counters = std::make_shared<const StageCounters>(std::move(*found));
    }
    if (document.samples_job) {
      if (auto found = document.samples_job->take_samples())
        document.samples = std::make_shared<const TokenSamples>(std::move(*found));
    }
    if (document.ranks_job) {
      if (auto found = document.ranks_job->take_ranks()) {
        if (*found)
          document.family = std::make_shared<const RankFamily>(std::move(**found));
        else
          document.ranks_problem = found->error().message;
      }
    }
  }
  if (!(counters || samples || ranks) || !workspace_.ready()) return;
  Document& document = workspace_.document();
  MeasuredStep step;
  step.model = document.asked;
  step.load = options_.load;
  step.backend = document.snapshot->backend;
  step.variant = document.snapshot->plan->variant;
  for (const engine::Stage& stage : document.snapshot->plan->stages)
    step.errors = step.errors || stage.kind == engine::StageKind::errors;
  step.program = program_;
  Surface* surface = surface_.get();
  const auto wake = [surface] { surface->wake(); };
  if (counters && !(document.counters_job && document.counters_job->running())) {
    document.counters.reset();
    document.counters_job = MeasurementJob::counters(step, wake);
  }
  if (samples && !(document.samples_job && document.samples_job->running())) {
    document.samples.reset();
    document.samples_job = MeasurementJob::samples(step, wake);
  }
  if (ranks && !(document.ranks_job && document.ranks_job->running())) {
    document.ranks_problem.clear();
    document.ranks_job = MeasurementJob::ranks(step, wake);
  }
}

}  // namespace app
