// What runs for the interventions panel of one open model, in the background: the counterfactual and its controls over the
// session's tokens as they come, and on demand a dose response or a grid of patches. Each job steps a backend of its own on
// a thread of its own and publishes values that never change; it ends within a step when its document closes.
#pragma once

#include "app/viewmodel/intervention_list.h"
#include "app/wiring/donor_file.h"
#include "engine/effect/dose_response.h"
#include "engine/effect/intervention_effect.h"
#include "engine/effect/patching.h"
#include "engine/model/model.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace app {

struct InterventionSettings {
  Interventions list;
  int controls = 2;
  engine::ControlKind kind = engine::ControlKind::state;
  std::uint64_t seed = 0;
  Interventions base = {};  // in force in all of them

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
  bool cancelled = false;  // by whoever watches; goes on with go_on() or another list
  std::size_t of = 0;      // tokens that were wanted
  double done() const { return of > 0 ? static_cast<double>(tokens.size()) / static_cast<double>(of) : 1; }
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
  // Ends what it steps within a token; more tokens of the same text do not begin it again.
  void cancel();
  void go_on();
  std::shared_ptr<const InterventionRunReport> report() const;  // never null

 private:
  struct Wanted {
    InterventionSettings settings;
    std::vector<std::int32_t> ids;
    std::uint64_t version = 0;
    bool cancelled = false;
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

// Part of the state that another text left, put into this one's.
struct PatchOrder {
  std::vector<std::int32_t> receiver;
  Interventions in_force;  // of the receiver
  std::int64_t after = 0;  // token of the receiver; what follows it is read behind the patch
  // The donor: these tokens, stepped under its own interventions, or the state after token donor_at of a recording.
  std::vector<std::int32_t> donor;
  Interventions donor_in_force = {};
  std::string recording = {};
  std::int64_t donor_at = 0;     // -1: the last one
  std::string donor_words = {};  // for people: "main after token 12"
  engine::PatchPart part = engine::PatchPart::head;
  int layer = 0;  // of pairs

  // The parts of this kind, each to be patched by itself.
  std::vector<engine::Patch> patches(const engine::ModelConfig& config) const;
};

struct MeasureReport {
  bool running = true, cancelled = false;
  double done = 0, seconds = 0;
  std::optional<engine::Error> error;
  std::vector<engine::DosePoint> dose;
  engine::DosePlan plan;
  engine::PatchGrid grid;
  PatchOrder order;
};

// One dose response or one grid of patches.
class MeasureJob {
 public:
  MeasureJob(std::shared_ptr<const engine::Model> model, JobBackend backend, engine::DosePlan plan,
             engine::EffectText text);
  MeasureJob(std::shared_ptr<const engine::Model> model, JobBackend backend, PatchOrder order);
  MeasureJob(const MeasureJob&) = delete;
  MeasureJob& operator=(const MeasureJob&) = delete;

  std::shared_ptr<const MeasureReport> report() const;  // never null
  bool running() const { return report()->running; }
  void cancel() { thread_.request_stop(); }

 private:
  engine::Result<engine::SequenceState> donor_state(const std::stop_token& stop, const engine::Model& model,
                                                    engine::Backend& backend);
  engine::Result<void> patch(const std::stop_token& stop, const engine::Model& model);
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
  // What the list is for: changes that run beside the branch, or those that the branch itself is stepped under.
  enum class Use : std::uint8_t { beside, branch } use = Use::beside;
  bool go = false;  // a model with large states is followed only while asked for
  // Of the branch, as edited here: ahead of the session until it has taken them.
  Interventions in_force, in_force_seen;
  std::int64_t step_from = 0;  // token from which "Step the session with these" begins
  bool step_on_new_branch = true;
  // Patching.
  enum class Donor : std::uint8_t { text, branch, recording } donor_kind = Donor::text;
  std::string donor, donor_error;         // the donor's text as it is typed
  std::string donor_path;                 // of a recording
  std::unique_ptr<DonorFile> donor_file;  // looks at that one
  int donor_branch = -1;                  // -1: the first other one
  std::int64_t donor_at = -1;             // token of the donor; -1: its last
  std::int64_t patch_after = -1;          // token of the receiver; -1: the shown one
  engine::PatchPart part = engine::PatchPart::head;
  bool measure = false;  // the page that is shown begins its measurement in the next frame
  std::unique_ptr<InterventionFollower> follower;
  std::unique_ptr<MeasureJob> dose, patch;

  // What runs over the tokens: the list beside the branch as it is; or, of the branch's own, them beside the model.
  InterventionSettings settings(const Interventions& branch) const {
    return use == Use::branch ? InterventionSettings{branch, controls, kind, 0}
                              : InterventionSettings{list.now(), controls, kind, 0, branch};
  }
};

// Pages of the panel by their names on the command line.
inline constexpr std::array<const char*, 4> intervention_pages = {"interventions", "in-force", "dose", "patching"};
bool is_intervention_page(std::string_view name);
void show_page(InterventionDesk& desk, std::string_view name);  // and begins its measurement, where it has one

}  // namespace app
