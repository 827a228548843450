#include "app/wiring/recording_job.h"

#include "app/wiring/recorded_profile.h"
#include "app/wiring/recorded_times.h"
#include "engine/analysis/rotation.h"
#include "engine/recording/recording_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace app {

namespace {

constexpr double appending = 0.6;  // share of the work that is done when all tokens are in the journal

engine::RecordingInfo info_of(const engine::Snapshot& snapshot, const TokenTimesList& times) {
  engine::RecordingInfo info = engine::describe_recording(*snapshot.model, snapshot.backend, *snapshot.plan,
                                                          "mambascope " MAMBASCOPE_VERSION, utc_now());
  info.seed = snapshot.sampler.seed;
  info.interventions = snapshot.interventions;
  if (!times.empty()) info.timing_source = timing_source_name(times.back()->source);
  // The layers whose matrix state the newest token has; the watched one may have changed on the way.
  info.ssm_layers.clear();
  const auto& layers = snapshot.tokens.back()->state->layers;
  for (std::size_t l = 0; l < layers.size(); ++l)
    if (engine::holds_state(layers[l])) info.ssm_layers.push_back(static_cast<int>(l));
  if (info.ssm_layers.empty()) info.ssm_every = 0;
  return info;
}

}  // namespace

RecordingJob::RecordingJob(std::shared_ptr<const engine::Snapshot> snapshot, TokenTimesList times, std::string path,
                           std::function<void()> on_done)
    : thread_([this, snapshot = std::move(snapshot), times = std::move(times), path = std::move(path),
               on_done = std::move(on_done)](const std::stop_token& stop) {
        std::string words = run(stop, *snapshot, times, path);
        {
          const std::lock_guard lock(mutex_);
          words_ = std::move(words);
        }
        running_ = false;
        if (on_done) on_done();
      }) {}

std::string RecordingJob::take_words() {
  const std::lock_guard lock(mutex_);
  return std::exchange(words_, {});
}

std::string RecordingJob::run(const std::stop_token& stop, const engine::Snapshot& snapshot,
                              const TokenTimesList& times, const std::string& path) {
  const engine::RecordingInfo info = info_of(snapshot, times);
  auto writer = engine::RecordingWriter::create(path, info, *snapshot.model);
  if (!writer) return writer.error().message;
  const auto count = static_cast<double>(snapshot.tokens.size());
  for (const auto& record : snapshot.tokens) {
    const auto found =
        std::find_if(times.begin(), times.end(), [&](const auto& t) { return t->token == record->position; });
    const engine::StepTimes own =
        found == times.end() ? engine::StepTimes{} : step_times(**found, info.plan.stages.size());
    if (auto added = (*writer)->add(*record, &own); !added) return added.error().message;
    done_ = appending * static_cast<double>((*writer)->tokens()) / count;
    if (stop.stop_requested()) {
      writer->reset();
      std::remove((path + engine::journal_ending).c_str());
      return "The recording was cancelled; nothing was kept.";
    }
  }
  const auto finished = (*writer)->finish([&](double share) {
    done_ = appending + (1 - appending) * share;
    return !stop.stop_requested();
  });
  if (!finished) return finished.error().message;
  std::error_code ignored;
  return fmt::format("{} tokens recorded: {}", snapshot.tokens.size(),
                     std::filesystem::absolute(path, ignored).string());
}

std::string recording_name(const engine::Snapshot& snapshot) {
  std::string name = snapshot.model->name;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_') c = '-';
  return fmt::format("{}-{}.safetensors", name, snapshot.tokens.size());
}

}  // namespace app
