#include "app/shell/app.h"

#include "app/commands/output_file.h"
#include "app/panels/gl_context.h"
#include "app/shell/fonts.h"
#include "app/shell/screenshot.h"
#include "app/wiring/interventions.h"
#include "app/wiring/parity.h"
#include "app/wiring/recording_job.h"
#include "app/wiring/shared_tiles.h"
#include "engine/recording/recording.h"

#define GL_GLEXT_PROTOTYPES
#include <GL/glcorearb.h>
#include <fmt/format.h>
#include <imgui_impl_opengl3.h>
#include <imgui_internal.h>
#include <implot.h>
#include <implot3d.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <thread>
#include <utility>

namespace app {
namespace {

volatile std::sig_atomic_t interrupted = 0;
constexpr double frame_period_s = 1.0 / 60;
constexpr std::chrono::milliseconds latest_hand_over{9};  // of a frame to the GPU, since its begin
// How long to go on drawing after input (tool tips, hover, scrolling) and after a snapshot (phasors in motion).
constexpr double settle_after_input_s = 0.7, settle_after_snapshot_s = 0.2;

// Background jobs use what the session uses.
engine::BackendChoice backend_like(const std::string& name) {
  return name == "cuda"        ? engine::BackendChoice::cuda
         : name == "reference" ? engine::BackendChoice::reference
                               : engine::BackendChoice::cpu;
}

}  // namespace

App::App(const GuiOptions& options) : options_(options) {
  IMGUI_CHECKVERSION();
  ImGui::CreateContext();
  ImPlot::CreateContext();
  ImPlot3D::CreateContext();
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;
  io.ConfigFlags |= ImGuiConfigFlags_DockingEnable;
  io.ConfigWindowsMoveFromTitleBarOnly = true;
}

App::~App() {
  if (surface_) settings_.save(true);
  opener_ = DocumentOpener{};    // waits for what is still being opened
  workspace_.documents.clear();  // stops the sessions, which wake the surface
  if (surface_) {
    end_gl_context();
    ImGui_ImplOpenGL3_Shutdown();
  }
  surface_.reset();
  ImPlot3D::DestroyContext();
  ImPlot::DestroyContext();
  ImGui::DestroyContext();
}

std::string asked_panel(const GuiOptions& options) {
  return options.panel.empty() ? panel_of_page(options) : find_panel(options.panel);
}

std::string panel_of_page(const GuiOptions& options) {
  if (options.page.empty()) return {};
  if (timing_page_named(options.page)) {
    // Recorded profiles alone have no panels to choose from.
    const bool steps = options.profiles.empty() || !options.models.empty() || !options.preset.empty();
    return steps || !options.recordings.empty() ? find_panel("Kernel timings") : std::string();
  }
  return find_panel(is_intervention_page(options.page) ? "Interventions"
                    : options.page == parity_page      ? "Parity"
                                                       : "Discretisation");
}

engine::Result<std::unique_ptr<App>> App::open(const GuiOptions& options) {
  std::unique_ptr<App> app(new App(options));
  const SurfaceOptions surface_options{options.size, "Mambascope"};
  auto surface = options.offscreen ? open_offscreen(surface_options) : open_window(surface_options);
  if (!surface) return tl::unexpected(surface.error());
  if (!ImGui_ImplOpenGL3_Init("#version 330"))
    return engine::system_error("OpenGL 3.3 cannot be used here: its functions are missing. Install Mesa or a driver.");
  app->surface_ = std::move(*surface);

  Workspace& workspace = app->workspace_;
  workspace.ui_scale = app->surface_->content_scale();
  if (options.remember_layout && !options.offscreen)
    app->settings_.open(Settings::default_path(), workspace, app->layout_);
  if (options.ui_scale > 0) workspace.ui_scale = options.ui_scale;
  if (options.light) workspace.light_theme = true;
  workspace.share_gpu = options.share_gpu;
  load_fonts(app->theme_);
  app->apply_theme();
  for (const std::string& model : options.models) {
    workspace.requests.open_model = model;
    app->serve_requests();
  }
  if (!options.preset.empty()) {
    OpenOptions open;
    open.backend = options.backend;
    open.load = options.load;
    open.seed = options.seed;
    open.history_mb = options.history_mb;
    open.on_publish = [surface = app->surface_.get()] { surface->wake(); };
    open.preset = true;
    app->opener_.open(workspace, options.preset, std::move(open));
  }
  for (const std::string& profile : options.profiles) {
    workspace.requests.open_profile = profile;
    app->serve_requests();
  }
  for (const std::string& recording : options.recordings) {
    workspace.requests.open_replay = recording;
    app->serve_requests();
  }
  workspace.active = 0;
  workspace.accuracy.choice = options.evaluation;
  workspace.parity.plant = options.plant;
  if (const auto page = discretisation_page_named(options.page)) {
    workspace.discretisation.page = page->page;
    workspace.discretisation.accumulated = page->accumulated;
  }
  if (const auto page = timing_page_named(options.page)) {
    workspace.timing_page = *page;
    workspace.timing_table.records = options.page == records_page;
    workspace.page_asked = true;
  }
  if (const std::string panel = asked_panel(options); !panel.empty()) {
    if (options.fill)
      app->layout_.fill(panel);
    else
      workspace.requests.focus_panel = panel;
  }
  return app;
}

void App::apply_theme() {
  workspace_.ui_scale = std::clamp(workspace_.ui_scale, 0.75F, 2.0F);
  set_colours(theme_, workspace_.light_theme);
  theme_.scale = workspace_.ui_scale;
  apply_style(theme_);
}

void App::take_snapshots() {
  opener_.poll(workspace_);
  for (Document& document : workspace_.documents) {
    if (!document.session) continue;
    auto newest = document.session->snapshot();
    if (!newest->notice.empty() && (!document.snapshot || document.snapshot->notice != newest->notice))
      workspace_.notice = newest->notice;
    document.snapshot = std::move(newest);
    if (document.saving)
      if (std::string words = document.saving->take_words(); !words.empty()) workspace_.notice = std::move(words);
  }
  // After stepping back the selected token may be gone.
  if (!workspace_.ready()) return;
  const engine::Snapshot& snapshot = *workspace_.document().snapshot;
  // What is stepped again by itself is soon there again.
  const auto tokens = std::max(static_cast<std::int64_t>(snapshot.tokens.size()), snapshot.replay_to);
  if (workspace_.selection.token >= tokens) workspace_.selection.token = -1;
}

void App::serve_requests() {
  Requests& requests = workspace_.requests;
  if (std::exchange(requests.browse, false)) dialog_.show();
  for (std::string& path : dialog_.chosen()) requests.dropped.push_back(std::move(path));
  for (std::string& path : surface_->dropped()) requests.dropped.push_back(std::move(path));
  if (!requests.dropped.empty() && requests.open_model.empty() && requests.open_profile.empty()) {
    request_open(requests, requests.dropped.front());
    requests.dropped.erase(requests.dropped.begin());
    requests.redraw = !requests.dropped.empty();
  }
  if (!requests.open_model.empty()) {
    Surface* surface = surface_.get();
    opener_.open(workspace_, std::exchange(requests.open_model, {}),
                 {options_.backend, options_.load, options_.seed, options_.history_mb, [surface] { surface->wake(); }});
  }
  if (!requests.open_profile.empty()) {
    Surface* surface = surface_.get();
    opener_.open_recorded(workspace_, std::exchange(requests.open_profile, {}), [surface] { surface->wake(); });
  }
  if (!requests.open_replay.empty()) {
    Surface* surface = surface_.get();
    OpenOptions open;
    open.on_publish = [surface] { surface->wake(); };
    open.recording = true;
    opener_.open(workspace_, std::exchange(requests.open_replay, {}), std::move(open));
  }
  refuse_without_weights();
  serve_record();
  if (std::exchange(requests.reset_layout, false)) layout_.reset();
  if (std::exchange(requests.verify, false) && workspace_.ready() && !workspace_.document().snapshot->empty()) {
    Surface* surface = surface_.get();
    workspace_.document().verification =
        std::make_unique<Verification>(workspace_.document().snapshot, [surface] { surface->wake(); });
  }
  serve_evaluation();
  serve_effect();
  serve_retention();
  serve_parity();
  serve_measurements();
  serve_interventions();
  if (!requests.focus_panel.empty()) layout_.focus(std::exchange(requests.focus_panel, {}));
}

void App::refuse_without_weights() {
  Requests& requests = workspace_.requests;
  const bool steps = requests.verify || requests.evaluate || requests.effect || requests.effect_accuracy;
  if (!workspace_.ready() || !workspace_.document().replay || !(steps || !requests.record.empty())) return;
  const engine::RecordingInfo& info = workspace_.document().replay->info();
  workspace_.notice = steps ? fmt::format("This was {}: there are no weights to step with. Open the model {} itself.",
                                          info.words(), info.model)
                            : "This is a recording already: copy its file.";
  requests.verify = requests.evaluate = requests.effect = requests.effect_accuracy = false;
  requests.record.clear();
}

void App::serve_record() {
  const std::string path = std::exchange(workspace_.requests.record, {});
  if (path.empty() || !workspace_.ready() || workspace_.document().snapshot->empty()) return;
  Document& document = workspace_.document();
  if (document.saving && document.saving->running()) return;
  if (const auto writable = check_recording_output(path); !writable) {
    workspace_.notice = writable.error().message;
    return;
  }
  Surface* surface = surface_.get();
  document.saving = std::make_shared<RecordingJob>(
      document.snapshot, document.timings->newest(TimingStore::default_tokens), path, [surface] { surface->wake(); });
}

void App::serve_evaluation() {
  // Nobody sees a hidden model's progress: its evaluation ends, what is complete stays.
  for (std::size_t i = 0; i < workspace_.documents.size(); ++i)
    if (const auto& job = workspace_.documents[i].evaluation; job && static_cast<int>(i) != workspace_.active)
      job->cancel();
  if (!std::exchange(workspace_.requests.evaluate, false) || !workspace_.ready()) return;
  Document& document = workspace_.document();
  const engine::TaskCard& card = document.model->card;
  if (document.evaluation && document.evaluation->running()) return;
  if (!card.labels_positions() || card.task.empty()) return;  // the panel says why
  const std::string& name = document.snapshot->backend.name;
  EvaluationJob::Options options;
  options.choice = workspace_.accuracy.choice;
  options.backend = backend_like(name);
  options.threads = options_.backend.threads;
  options.load = options_.load;
  options.interventions = document.snapshot->interventions;
  Surface* surface = surface_.get();
  document.evaluation = std::make_unique<EvaluationJob>(document.model, options, [surface] { surface->wake(); });
}

void App::serve_effect() {
  const bool tokens = std::exchange(workspace_.requests.effect, false);
  const bool accuracy = std::exchange(workspace_.requests.effect_accuracy, false);
  if (!workspace_.ready()) return;
  Document& document = workspace_.document();
  Surface* surface = surface_.get();
  const auto begin = [&](std::unique_ptr<EffectJob>& job, EffectJob::Options options) {
    if (job && job->running()) return;
    options.backend = backend_like(document.snapshot->backend.name);
    options.threads = options_.backend.threads;
    options.interventions = document.snapshot->interventions;
    job = std::make_unique<EffectJob>(document.model, std::move(options), [surface] { surface->wake(); });
  };
  if (tokens && !document.snapshot->empty()) {
    EffectJob::Options options;
    for (const auto& record : document.snapshot->tokens) options.ids.push_back(record->id);
    begin(document.effect, std::move(options));
  }
  if (accuracy && document.model->card.labels_positions() && !document.model->card.task.empty()) {
    EffectJob::Options options;
    const EvaluationChoice& choice = workspace_.accuracy.choice;
    options.evaluate = {choice.length, choice.sequences, choice.seed};
    begin(document.effect_accuracy, std::move(options));
  }
}

void App::serve_retention() {
  const std::int64_t token = std::exchange(workspace_.requests.retention, -1);
  if (token < 0 || !workspace_.ready()) return;
  Document& document = workspace_.document();
  const engine::Snapshot& snapshot = *document.snapshot;
  if (snapshot.empty() || (document.retention && document.retention->running())) return;
  RetentionJob::Options options;
  for (const auto& record : snapshot.tokens) options.ids.push_back(record->id);
  options.token = std::min(token, static_cast<std::int64_t>(options.ids.size()) - 1);
  options.layer = workspace_.selection.layer;
  options.interventions = snapshot.interventions;
  options.backend = backend_like(snapshot.backend.name);
  options.threads = options_.backend.threads;
  Surface* surface = surface_.get();
  document.retention =
      std::make_unique<RetentionJob>(document.model, std::move(options), [surface] { surface->wake(); });
}

void App::serve_parity() {
  // Nobody sees a hidden model's progress: its bench ends, rows that are complete stay.
  for (std::size_t i = 0; i < workspace_.documents.size(); ++i)
    if (const auto& job = workspace_.documents[i].parity; job && static_cast<int>(i) != workspace_.active)
      job->cancel();
  if (!std::exchange(workspace_.requests.parity, false) || !workspace_.ready()) return;
  Document& document = workspace_.document();
  const engine::TokenRecord* shown = workspace_.shown();
  if (shown == nullptr || document.replay || (document.parity && document.parity->running())) return;
  ParityQuestion question;
  for (const auto& record : document.snapshot->tokens)
    if (record->position <= shown->position) question.ids.push_back(record->id);
  question.interventions = document.snapshot->interventions;
  question.plant = workspace_.parity.plant;
  question.threads = options_.backend.threads;
  workspace_.parity.candidate = workspace_.parity.cell = -1;
  Surface* surface = surface_.get();
  document.parity = std::make_shared<ParityJob>(document.model, std::move(question), [surface] { surface->wake(); });
}

// Every open document has a desk; its jobs begin when its panel is shown.
void App::serve_interventions() {
  Surface* surface = surface_.get();
  for (Document& document : workspace_.documents) {
    if (!document.is_open() || document.interventions) continue;
    auto desk = std::make_shared<InterventionDesk>();
    desk->model = document.model;
    desk->backend = {backend_like(document.snapshot->backend.name), options_.backend.threads,
                     [surface] { surface->wake(); }};
    document.interventions = std::move(desk);
  }
}

void App::frame() {
  const auto start = Clock::now();
  auto since = start;
  const auto took = [&since](const char* part) {
    const auto now = Clock::now();
    frame_parts().push_back({part, std::chrono::duration<double, std::milli>(now - since).count()});
    since = now;
  };
  frame_parts().clear();
  take_snapshots();
  took("snapshots");
  serve_requests();
  if (theme_.scale != workspace_.ui_scale || theme_.light != workspace_.light_theme) apply_theme();

  ImGui_ImplOpenGL3_NewFrame();
  surface_->begin_frame();
  ImGui::NewFrame();
  took("requests");
  draw();
  ImGui::Render();
  took("all panels");

  const bool beside_steps = wait_for_pause(start + latest_hand_over);
  took("pause between steps");
  const SurfaceSize size = surface_->size();
  glViewport(0, 0, size.width, size.height);
  glClearColor(theme_.window.x, theme_.window.y, theme_.window.z, 1.0F);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  end_frame();
  take_screenshot();
  surface_->present();
  if (beside_steps) turn_to_computing();
  took("OpenGL");
  const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  frame_stats_.add(ms, std::move(frame_parts()));
  workspace_.frame_ms = workspace_.frame_ms == 0 ? ms : 0.9 * workspace_.frame_ms + 0.1 * ms;
  settings_.save(false);
}

// OpenGL's commands are collected until now: a GPU that steps and draws gets them while no step runs. Whether it does both.
bool App::wait_for_pause(Clock::time_point latest) {
  if (!workspace_.ready()) return false;
  const StepPauses* pauses = workspace_.document().timings->pauses();
  return pauses != nullptr && draws_where_cuda_computes() && pauses->wait(latest);
}

void App::draw() {
  handle_keys(workspace_);
  PanelContext context{workspace_, theme_};
  layout_.draw(context);
  palette_.draw(context);
  draw_notice();
}

void App::draw_notice() {
  const auto now = Clock::now();
  if (!workspace_.notice.empty()) {
    noticed_ = std::exchange(workspace_.notice, {});
    notice_ends_ = now + std::chrono::seconds(6);
  }
  if (noticed_.empty()) return;
  if (now > notice_ends_) {
    noticed_.clear();
    return;
  }
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  const float margin = 16 * theme_.scale;
  ImGui::SetNextWindowPos(
      {viewport.WorkPos.x + viewport.WorkSize.x - margin, viewport.WorkPos.y + viewport.WorkSize.y - 3 * margin},
      ImGuiCond_Always, {1, 1});
  ImGui::PushStyleColor(ImGuiCol_Border, theme_.accent_filled);
  if (ImGui::Begin("Notice", nullptr,
                   ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_AlwaysAutoResize | ImGuiWindowFlags_NoDocking |
                       ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoFocusOnAppearing |
                       ImGuiWindowFlags_NoInputs)) {
    ImGui::PushTextWrapPos(420 * theme_.scale);
    ImGui::TextUnformatted(noticed_.c_str());
    ImGui::PopTextWrapPos();
  }
  ImGui::End();
  ImGui::PopStyleColor();
}

void App::take_screenshot() {
  if (workspace_.requests.screenshot.empty()) return;
  const std::string path = std::exchange(workspace_.requests.screenshot, {});
  const PixelArea area = std::exchange(workspace_.requests.screenshot_area, {});
  const Image whole = read_pixels(surface_->size());
  const auto written = write_png(path, area.width > 0 && area.height > 0 ? part_of(whole, area) : whole);
  std::error_code ignored;
  workspace_.notice = written ? fmt::format("Screenshot written: {}", std::filesystem::absolute(path, ignored).string())
                              : written.error().message;
}

void App::run() {
  // Ctrl+C in the terminal closes the window as its button does: the session ends its step, the layout is kept.
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  auto draw_until = Clock::now() + std::chrono::seconds(1);
  const auto ended = [this] { return surface_->should_close() || workspace_.requests.quit || interrupted != 0; };
  while (!ended()) {
    const auto start = Clock::now();
    workspace_.requests.redraw = false;
    frame();
    const auto after = Clock::now();
    // Dear ImGui reads about one change of a key a frame: what is still queued was not acted on yet.
    const bool unread_input = !ImGui::GetCurrentContext()->InputEventsQueue.empty();
    const bool busy =
        start < draw_until || opener_.busy() || !noticed_.empty() || workspace_.requests.redraw || unread_input;
    // While something moves: at most 60 frames a second, so that software rendering leaves the model its time.
    const double spent = std::chrono::duration<double>(after - start).count();
    const double timeout = busy ? std::max(0.001, frame_period_s - spent) : 0.5;
    if (busy) {
      // Input that comes in while drawing keeps the window awake.
      if (surface_->wait(timeout)) draw_until = std::max(draw_until, Clock::now() + std::chrono::milliseconds(200));
      const double left = frame_period_s - std::chrono::duration<double>(Clock::now() - start).count();
      if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
      continue;
    }
    // Nothing moves: asleep until something happens; a text cursor blinks.
    bool woken = false;
    while (!woken && !ended()) {
      woken = surface_->wait(timeout);
      if (ImGui::GetIO().WantTextInput) break;
    }
    if (!woken) continue;
    const bool running = workspace_.ready() && workspace_.document().snapshot->mode == engine::SessionMode::running;
    const double settle = running ? settle_after_snapshot_s : settle_after_input_s;
    draw_until = Clock::now() + std::chrono::microseconds(static_cast<std::int64_t>(settle * 1e6));
  }
}

}  // namespace app
