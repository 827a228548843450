// What runs for the interventions panel of one open model, in the background: the counterfactual and its controls over the
// session's tokens as they come, and on demand a dose response or a grid of patches. Each job steps a backend of its own on
// a thread of its own and publishes values that never change; it ends within a step when its document closes.
#pragma once

#include "app/viewmodel/intervention_list.h"
#include "engine/effect/dose_response.h"
#include "engine/effect/intervention_effect.h"
#include "engine/effect/patching.h"
#include "engine/model/model.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace app {

struct InterventionSettings {
  Interventions list;
  int controls = 2;
  engine::ControlKind kind = engine::ControlKind::state;
  std::uint64_t seed = 0;

  bool operator==(const InterventionSettings&) const = default;
};

struct InterventionRunReport {
  InterventionSettings settings;
  // One for each token that was stepped: the model as it is, the counterfactual, the controls.
  std::vector<std::shared_ptr<const engine::EffectToken>> tokens;
  std::optional<engine::Error> error;
  std::string device;
  double ms = 0;  // since the list was changed, for all tokens up to now
  bool running = false;
};

struct JobBackend {
  engine::BackendChoice choice = engine::BackendChoice::automatic;
  int threads = 0;  // cpu only; 0: half of the cores
  std::function<void()> on_progress;
};

// Follows a text: steps what is new of it, and starts afresh where what it has stepped is not its beginning.
class InterventionFollower {
 public:
  InterventionFollower(std::shared_ptr<const engine::Model> model, JobBackend backend);
  InterventionFollower(const InterventionFollower&) = delete;
  InterventionFollower& operator=(const InterventionFollower&) = delete;

  void want(const InterventionSettings& settings, const std::vector<std::int32_t>& ids);
  std::shared_ptr<const InterventionRunReport> report() const;  // never null

 private:
  struct Wanted {
    InterventionSettings settings;
    std::vector<std::int32_t> ids;
    std::uint64_t version = 0;
  };
  void work(const std::stop_token& stop);
  // Until all is stepped or something else is wanted.
  engine::Result<void> follow(const std::stop_token& stop, const Wanted& wanted);
  bool outdated(const Wanted& wanted);
  void publish(bool running);

  const std::shared_ptr<const engine::Model> model_;
  const JobBackend options_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Wanted wanted_;
  std::shared_ptr<const InterventionRunReport> published_;
  // The thread's own.
  std::unique_ptr<engine::Backend> backend_;
  std::optional<engine::InterventionRun> run_;
  InterventionRunReport working_;
  std::vector<std::int32_t> stepped_;
  std::chrono::steady_clock::time_point begun_{}, told_{};
  std::jthread thread_;  // last: asked to stop and joined first
};

struct MeasureReport {
  bool running = true, cancelled = false;
  double done = 0, seconds = 0;
  std::optional<engine::Error> error;
  std::vector<engine::DosePoint> dose;
  engine::DosePlan plan;
  engine::PatchGrid grid;
  std::vector<std::int32_t> donor;
  std::int64_t patched_after = 0;
};

// One dose response or one grid of patches.
class MeasureJob {
 public:
  MeasureJob(std::shared_ptr<const engine::Model> model, JobBackend backend, engine::DosePlan plan,
             engine::EffectText text);
  // After token `after` of the receiver, every head's state of the donor; the rest of the receiver is read behind it.
  MeasureJob(std::shared_ptr<const engine::Model> model, JobBackend backend, std::vector<std::int32_t> receiver,
             std::vector<std::int32_t> donor, std::int64_t after);
  MeasureJob(const MeasureJob&) = delete;
  MeasureJob& operator=(const MeasureJob&) = delete;

  std::shared_ptr<const MeasureReport> report() const;  // never null
  bool running() const { return report()->running; }
  void cancel() { thread_.request_stop(); }

 private:
  void start(std::function<engine::Result<void>(const std::stop_token&)> body);
  bool tell(const std::stop_token& stop, double done);
  void publish();

  const JobBackend options_;
  MeasureReport working_;  // the thread's own
  std::chrono::steady_clock::time_point begun_{}, told_{};
  mutable std::mutex mutex_;
  std::shared_ptr<const MeasureReport> published_;
  std::jthread thread_;
};

// All of it, of one document. UI thread.
struct InterventionDesk {
  std::shared_ptr<const engine::Model> model;
  JobBackend backend;
  InterventionList list;
  int controls = 2;
  engine::ControlKind kind = engine::ControlKind::state;
  enum class Page : std::uint8_t { tokens, dose, patching } page = Page::tokens;
  bool go = false;                 // a model with large states is followed only while asked for
  std::string donor, donor_error;  // the donor's text as it is typed
  std::unique_ptr<InterventionFollower> follower;
  std::unique_ptr<MeasureJob> dose, patch;

  InterventionSettings settings() const { return {list.now(), controls, kind, 0}; }
};

}  // namespace app
