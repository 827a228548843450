#include "app/shell/documents.h"

#include "app/commands/preset_model.h"
#include "app/wiring/open_model.h"
#include "app/wiring/recorded_profile.h"
#include "app/wiring/recorded_times.h"
#include "engine/model/presets.h"
#include "engine/recording/replay.h"
#include "profiler/activity/process.h"

#include <atomic>
#include <chrono>
#include <utility>

namespace app {
namespace {

// Whether the session's steps will run on a GPU. Asked before the first CUDA call, for the sake of the profiler.
bool wants_gpu(const engine::BackendOptions& options) {
  if (options.choice != engine::BackendChoice::cuda && options.choice != engine::BackendChoice::automatic) return false;
  profiler::start_process_activity();  // asking for a device is the first CUDA call
  return engine::why_no_cuda().empty();
}

Document open_tokens(const std::string& path, const OpenOptions& options) {
  Document document;
  document.name = path;
  auto opened = engine::Recording::open(path);
  if (!opened) {
    document.error = opened.error();
    return document;
  }
  document.replay = *opened;
  document.model = document.replay->model();
  document.name = document.model->name + " (recorded)";
  document.timings = timings_of(*document.replay);
  document.session = engine::open_replay(document.replay, {.on_publish = options.on_publish});
  document.session->wait_idle();
  document.snapshot = document.session->snapshot();
  return document;
}

engine::Result<std::shared_ptr<const engine::Model>> random_model_of(const std::string& preset,
                                                                     const OpenOptions& options) {
  const auto shape = engine::preset(preset);
  if (!shape) return tl::unexpected(shape.error());
  CommonOptions common;
  common.backend = options.backend.choice;
  common.load = options.load;
  common.seed = options.seed;
  return random_model(common, preset, *shape);
}

Document open_document(const std::string& name, const OpenOptions& options) {
  if (options.recording || engine::is_recording_file(name)) return open_tokens(name, options);
  static std::atomic<std::uint16_t> sources{0};
  Document document;
  document.name = document.asked = name;
  const bool on_gpu = wants_gpu(options.backend);
  auto model = options.preset ? random_model_of(name, options) : open_model(name, options.load);
  if (!model) {
    document.error = model.error();
    return document;
  }
  document.model = *model;
  document.name = (*model)->name;
  document.timings = TimingStore::make(++sources, on_gpu);
  engine::SessionOptions session;
  session.backend = options.backend;
  session.seed = options.seed;
  session.step_last = engine::command::StepLast().tokens;
  if (options.history_mb > 0) session.history_budget_bytes = options.history_mb << 20;
  session.observer = document.timings.get();
  session.on_publish = options.on_publish;
  auto opened = engine::Session::open(document.model, session);
  if (!opened) {
    document.error = opened.error();
    return document;
  }
  document.session = std::move(*opened);
  document.snapshot = document.session->snapshot();
  // A model's first example prompt is there to be stepped at once.
  const auto& prompts = document.model->card.prompts;
  if (!prompts.empty()) {
    if (auto ids = document.model->encode(prompts.front()))
      document.session->post(engine::command::Prompt{std::move(*ids)});
  }
  return document;
}

// A profile, a family, or NAME@RANK of one.
engine::Result<Recording> open_for_window(const std::string& name) {
  auto opened = open_any_recording(name);
  if (opened) return opened;
  auto one = open_recording(name);
  if (!one) return opened;
  Recording out;
  out.profile = std::move(*one);
  return out;
}

Document open_profile(const std::string& name) {
  Document document;
  document.name = name;
  document.asked = name;
  const auto opened = open_for_window(name);
  if (!opened) {
    document.error = opened.error();
    return document;
  }
  document.recording = std::make_shared<const ProfileResult>(opened->profile);
  if (opened->family) document.family = std::make_shared<const RankFamily>(*opened->family);
  if (document.recording->counters)
    document.counters = std::make_shared<const StageCounters>(*document.recording->counters);
  document.name = document.recording->recording;
  document.timings = recorded_timings(document.recording);
  return document;
}

}  // namespace

void DocumentOpener::cancel() {
  for (Opening& opening : opening_) {
    if (opening.progress) opening.progress->cancelled = true;
  }
  opening_.clear();  // a future of std::async waits
}

DocumentOpener& DocumentOpener::operator=(DocumentOpener&& other) noexcept {
  cancel();
  opening_ = std::move(other.opening_);
  return *this;
}

DocumentOpener::~DocumentOpener() { cancel(); }

void DocumentOpener::start(Workspace& workspace, const std::string& name,
                           std::shared_ptr<engine::OpenProgress> progress, std::function<Document()> make) {
  Document place_holder;
  place_holder.name = name;
  place_holder.opening = {progress, std::chrono::steady_clock::now()};
  workspace.documents.push_back(std::move(place_holder));
  workspace.active = static_cast<int>(workspace.documents.size()) - 1;
  workspace.selection = Selection{};
  opening_.push_back(
      {workspace.documents.size() - 1, std::async(std::launch::async, std::move(make)), std::move(progress)});
}

void DocumentOpener::open(Workspace& workspace, const std::string& name, OpenOptions options) {
  std::function<void()> done = options.on_publish;
  options.backend.progress = std::make_shared<engine::OpenProgress>();
  start(workspace, name, options.backend.progress, [name, options = std::move(options), done = std::move(done)] {
    Document document = open_document(name, options);
    if (done) done();
    return document;
  });
}

void DocumentOpener::open_recorded(Workspace& workspace, const std::string& name, std::function<void()> done) {
  start(workspace, name, nullptr, [name, done = std::move(done)] {
    Document document = open_profile(name);
    if (done) done();
    return document;
  });
}

void DocumentOpener::poll(Workspace& workspace) {
  for (std::size_t i = 0; i < opening_.size();) {
    Opening& opening = opening_[i];
    if (opening.result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      ++i;
      continue;
    }
    Document& document = workspace.documents[opening.place];
    document = opening.result.get();
    if (document.model) workspace.remember(document.model->path);
    // What several ranks were recorded for.
    if (document.recording && document.family && !workspace.page_asked) workspace.timing_page = TimingPage::ranks;
    opening_.erase(opening_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace app
