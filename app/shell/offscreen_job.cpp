#include "app/shell/offscreen_job.h"

#include "app/commands/output_file.h"
#include "app/shell/screenshot.h"
#include "app/viewmodel/answers.h"
#include "app/wiring/interventions.h"
#include "app/wiring/parity.h"
#include "app/wiring/profile_rows.h"
#include "engine/intervention/text.h"
#include "profiler/export/trace.h"
#include "profiler/report/statistics.h"

#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ostream>
#include <thread>
#include <utility>

namespace app {
namespace {

// Not the process: a script that set up and built before it became this program began long before.
const std::chrono::steady_clock::time_point program_start = std::chrono::steady_clock::now();

using Clock = std::chrono::steady_clock;
constexpr double frame_period_s = 1.0 / 60;
constexpr int least_frames = 90;  // below that a 99th percentile says nothing
constexpr std::chrono::minutes patience{2};

// Draws until `done` says so; false: patience ran out. `fps` frames a second, as on a display; 0: whenever something is new,
// and 60 times a second where nothing is.
template <class Done>
bool draw_until(App& app, Done done, double fps = 0) {
  const auto start = Clock::now();
  auto progress = start, due = start;
  std::uint64_t last_version = 0;
  while (!done()) {
    const auto begin = Clock::now();
    app.frame();
    std::uint64_t version = 0;
    for (const Document& document : app.workspace().documents) {
      if (document.is_open()) version += document.snapshot->version;
      if (document.parity) version += static_cast<std::uint64_t>(1e6 * document.parity->report()->done);
      if (document.evaluation) version += static_cast<std::uint64_t>(1e6 * document.evaluation->report()->done);
      for (const auto* job : {document.effect.get(), document.effect_accuracy.get()})
        if (job != nullptr) version += static_cast<std::uint64_t>(1e6 * job->report()->done);
    }
    if (version != last_version) progress = Clock::now();
    last_version = version;
    if (Clock::now() - progress > patience) return false;
    if (fps > 0) {
      // A frame that comes late moves the later ones, as a missed refresh does.
      due = std::max(due + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / fps)),
                     Clock::now());
      std::this_thread::sleep_until(due);
      continue;
    }
    const double left = frame_period_s - std::chrono::duration<double>(Clock::now() - begin).count();
    if (left > 0) app.surface().wait(left);
  }
  return true;
}

engine::Result<void> first_failure(const Workspace& workspace) {
  for (const Document& document : workspace.documents) {
    if (document.error) return tl::unexpected(*document.error);
    if (!document.is_open() || !document.snapshot->error) continue;
    const engine::Error& error = *document.snapshot->error;
    return tl::unexpected(engine::Error{error.kind, fmt::format("{}: {}", document.name, error.message)});
  }
  return {};
}

engine::Result<void> write_trace(const std::string& path, const Document& document) {
  const auto tokens = document.timings->newest(TimingStore::default_tokens);
  const profiler::Export rows = document.recording ? profile_rows(*document.recording)
                                                   : profile_rows(document.name, document.snapshot->backend,
                                                                  *document.snapshot->plan, *document.timings, tokens);
  return write_output(path, [&](std::ostream& out) { profiler::write_chrome_trace(out, rows); });
}

JobReport::Model report_on(const Document& document, int steps, double seconds) {
  JobReport::Model model;
  const engine::BackendInfo& backend = document.recording ? document.recording->backend : document.snapshot->backend;
  model.name = document.name;
  model.backend = backend.name;
  model.device = backend.device;
  model.variant = document.plan().variant;
  if (document.recording) {
    model.tokens = static_cast<std::int64_t>(document.recording->tokens.size());
  } else {
    const engine::Snapshot& snapshot = *document.snapshot;
    model.tokens = static_cast<std::int64_t>(snapshot.tokens.size());
    if (steps > 0 && seconds > 0 && document.replay == nullptr) model.tokens_per_s = steps / seconds;
    for (const auto& record : snapshot.tokens) {
      if (record->truth < 0 || !finite(*record)) continue;
      ++model.judged;
      if (record->predicted == record->truth) ++model.right;
    }
  }
  document.timings->flush();
  std::vector<double> walls_ms;
  const auto newest = document.timings->newest(TimingStore::default_tokens);
  walls_ms.reserve(newest.size());
  for (const auto& token : newest) walls_ms.push_back(static_cast<double>(token->wall_ns) * 1e-6);
  const profiler::Spread walls = profiler::spread_of(walls_ms);
  model.step_ms = walls.median;
  model.mean_step_ms = walls.mean;
  if (newest.size() > 1)
    model.period_ms = static_cast<double>(newest.back()->wall_start_ns - newest.front()->wall_start_ns) * 1e-6 /
                      static_cast<double>(newest.size() - 1);
  const profiler::ProfilerStatus status = document.timings->status();
  model.dropped_records = status.dropped;
  model.time_source = name_of(status.source);
  return model;
}

// What the command line asks of the first document and what was recorded cannot do: said before anything runs.
engine::Result<void> check_recorded(const Workspace& workspace, const GuiOptions& options) {
  if (workspace.documents.empty()) return {};
  const Document& document = workspace.documents.front();
  if (!document.recording && !document.replay) return {};
  const char* const none =
      document.recording ? "a recorded profile has none" : "recorded tokens have none: name the model itself";
  if (!options.changes.empty())
    return engine::input_error(fmt::format("--change needs a model that can be stepped, and {}.", none));
  const auto page = discretisation_page_named(options.page);
  if (is_intervention_page(options.page) || options.page == parity_page ||
      (page && page->page == DiscretisationPage::effect))
    return engine::input_error(fmt::format("--page {} runs a model, and {}.", options.page, none));
  if (page && document.recording)
    return engine::input_error(fmt::format("--page {} draws what a model computed, and {}.", options.page, none));
  const bool steps = std::any_of(workspace.documents.begin(), workspace.documents.end(),
                                 [](const Document& each) { return each.session != nullptr; });
  if (options.steps > 0 && !steps) return engine::input_error(fmt::format("--steps steps a model, and {}.", none));
  return {};
}

// Measures the first model's accuracy as the window's button does, and waits for the end.
engine::Result<std::shared_ptr<const EvaluationReport>> evaluate_first(App& app) {
  Workspace& workspace = app.workspace();
  const Document& document = workspace.documents.front();
  if (document.recording || document.replay)
    return engine::input_error(
        fmt::format("A {} has no weights, so its accuracy can't be measured: name the model itself, or leave out "
                    "--evaluate.",
                    document.recording ? "recorded profile" : "recording"));
  if (auto task = engine::task_of(*document.model, ""); !task) return tl::unexpected(task.error());
  workspace.activate(0);
  workspace.requests.evaluate = true;
  app.frame();
  if (!draw_until(app, [&] { return !document.evaluation->running(); }))
    return engine::system_error("The evaluation came no further for two minutes.");
  auto report = document.evaluation->report();
  for (const ModelEvaluation& model : report->models)
    if (model.error) return tl::unexpected(*model.error);
  return report;
}

// Runs the first model with other lambdas as the window's buttons do, and waits for the end.
engine::Result<void> run_effect(App& app) {
  Workspace& workspace = app.workspace();
  const Document& document = workspace.documents.front();
  workspace.activate(0);
  workspace.requests.effect = workspace.requests.effect_accuracy = true;
  app.frame();
  if (!draw_until(app, [&] {
        return !(document.effect && document.effect->running()) &&
               !(document.effect_accuracy && document.effect_accuracy->running());
      }))
    return engine::system_error("The runs with other lambdas came no further for two minutes.");
  for (const auto* job : {document.effect.get(), document.effect_accuracy.get()})
    if (job != nullptr && job->report()->error) return tl::unexpected(*job->report()->error);
  return {};
}

// The parity bench of the first model's last token, as the window's button runs it.
engine::Result<void> run_parity(App& app) {
  Workspace& workspace = app.workspace();
  const Document& document = workspace.documents.front();
  if (!document.is_open() || document.snapshot->empty())
    return engine::input_error("The parity page compares what backends leave behind a token: add --steps 1 or more.");
  workspace.activate(0);
  workspace.requests.parity = true;
  app.frame();
  if (!draw_until(app, [&] { return !document.parity->running(); }))
    return engine::system_error("The parity bench came no further for two minutes.");
  const auto report = document.parity->report();
  return report->error ? engine::Result<void>(tl::unexpected(*report->error)) : engine::Result<void>();
}

// The page of interventions with what it measures, of the first model.
engine::Result<void> run_interventions(App& app, const GuiOptions& options) {
  Workspace& workspace = app.workspace();
  const Document& document = workspace.documents.front();
  if (!document.is_open() || !is_intervention_page(options.page)) return {};
  workspace.activate(0);
  app.frame();
  const auto list = engine::parse_interventions(options.changes, document.model->config());
  if (!list) return tl::unexpected(list.error());
  InterventionDesk& desk = *document.interventions;
  show_page(desk, options.page);
  if (desk.page == InterventionDesk::Page::dose && list->empty()) desk.measure = false;  // nothing has a strength
  if (desk.use == InterventionDesk::Use::branch)
    document.session->post(engine::command::Intervene{*list});
  else
    desk.list.edit(*list);
  const auto tokens = document.snapshot->tokens.size();
  app.frame();
  const auto stepped = [&] {
    const engine::Snapshot& now = *document.snapshot;
    return now.tokens.size() >= tokens && now.mode != engine::SessionMode::running &&
           (desk.use == InterventionDesk::Use::beside || now.interventions == *list);
  };
  const auto followed = [&] {
    if (!desk.follower) return true;  // another panel is shown
    const auto report = desk.follower->report();
    return !report->running && report->settings == desk.settings(document.snapshot->interventions) &&
           (report->error || report->settings.list.empty() ||
            report->tokens.size() == document.snapshot->tokens.size());
  };
  const auto measured = [&] {
    return !desk.measure && !(desk.dose && desk.dose->running()) && !(desk.patch && desk.patch->running());
  };
  if (!draw_until(app, [&] { return stepped() && followed() && (tokens == 0 || measured()); }))
    return engine::system_error("The interventions came no further for two minutes.");
  return {};
}

void note_frames(App& app, JobReport::Scroll& out) {
  const FrameStats& stats = app.frame_stats();
  out.frames = stats.count();
  out.median_ms = stats.quantile_ms(0.5);
  out.p99_ms = stats.quantile_ms(0.99);
  out.slowest_ms = stats.slowest().empty() ? 0 : stats.slowest().front().ms;
  out.panels_ms = stats.most_ms("all panels");
}

// Shows every scale of the page of all tokens, moving along it: from the whole run down to a thousandth of it and back. The
// table beside it is sorted by another column and filtered by another word now and then.
engine::Result<JobReport::Scroll> scroll_through(App& app, int frames) {
  Workspace& workspace = app.workspace();
  const auto& run = workspace.document().timing_cache.run;
  if (!run.values)
    return engine::input_error(
        "--scroll moves along the page of all tokens or the table of records: give --page all-tokens or records, and a "
        "profile.");
  JobReport::Scroll out;
  out.pieces = run.values->pieces();
  TimingTableView& table = workspace.timing_table;
  const TimingTableView before = table;
  table.rows = ProfileRows::stages;
  app.frame();
  if (!draw_until(app, [&] { return !std::exchange(workspace.requests.redraw, false); }))
    return engine::system_error("The table was not complete after two minutes.");
  app.frame_stats().clear();
  for (int i = 0; i < frames; ++i) {
    constexpr int columns = 6, frames_each = 12;
    table.sorted_by = i / frames_each % columns;
    table.descending = i / frames_each / columns % 2 == 0;
    table.filter = i / (3 * frames_each) % 2 == 0 ? "" : "proj";
    const double along = static_cast<double>(i) / frames;
    const double span = std::pow(10.0, -1.5 * (1 - std::cos(2 * 3.14159265358979 * along)));
    const double from = along * (1 - span);
    workspace.run_span = {from, from + span};
    app.frame();
    out.vertices = std::max(out.vertices, ImGui::GetIO().MetricsRenderVertices);
  }
  table = before;
  note_frames(app, out);
  return out;
}

// The table of single records from its first row to its last, while it is sorted by one column after the other and filtered
// now and then: those rows are arranged behind the window.
JobReport::Scroll scroll_records(App& app, int frames) {
  Workspace& workspace = app.workspace();
  JobReport::Scroll out;
  out.pieces = workspace.document().timing_cache.record_rows.values->records;
  TimingTableView& table = workspace.timing_table;
  const TimingTableView before = table;
  app.frame_stats().clear();
  for (int i = 0; i < frames; ++i) {
    constexpr int columns = 7, frames_each = 24;
    table.sorted_by = i / frames_each % columns;
    table.descending = i / frames_each / columns % 2 == 0;
    table.filter = i / (5 * frames_each) % 2 == 0 ? "" : "proj";
    table.scroll_to = static_cast<double>(i) / frames;
    app.frame();
    out.vertices = std::max(out.vertices, ImGui::GetIO().MetricsRenderVertices);
  }
  table = before;
  note_frames(app, out);
  return out;
}

}  // namespace

engine::Result<JobReport> run_offscreen_job(App& app, const GuiOptions& options) {
  JobReport report;
  app.frame();
  report.first_frame_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - program_start).count();
  app.frame_stats().clear();
  if (!draw_until(app, [&] { return app.opened(); }))
    return engine::system_error("The models were not open after two minutes.");
  app.frame();
  if (auto failed = first_failure(app.workspace()); !failed) return tl::unexpected(failed.error());
  if (auto able = check_recorded(app.workspace(), options); !able) return tl::unexpected(able.error());

  if (options.steps > 0)
    app.frame_stats().clear();  // frames of waiting for a model say nothing about those beside its steps
  const auto start = Clock::now();
  for (Document& document : app.workspace().documents) {
    if (options.steps <= 0 || !document.session) continue;
    // Recorded tokens are all there: go back to that many.
    if (document.replay)
      document.session->post(engine::command::Seek{options.steps});
    else
      document.session->post(engine::command::Step{options.steps});
  }
  double seconds = 0;
  const auto wanted = static_cast<std::size_t>(std::max(0, options.steps));
  const auto all_stepped = [&] {
    if (!first_failure(app.workspace())) return true;
    for (const Document& document : app.workspace().documents)
      if (document.is_open() && !document.replay && document.snapshot->tokens.size() < wanted) return false;
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return true;
  };
  const bool finished = draw_until(app, all_stepped, options.fps);
  if (auto failed = first_failure(app.workspace()); !failed) return tl::unexpected(failed.error());
  if (!finished) return engine::system_error("No token was finished within two minutes.");

  if (options.evaluate && !app.workspace().documents.empty()) {
    auto evaluated = evaluate_first(app);
    if (!evaluated) return tl::unexpected(evaluated.error());
    report.evaluation = std::move(*evaluated);
  }
  if (!app.workspace().documents.empty()) {
    if (auto done = run_interventions(app, options); !done) return tl::unexpected(done.error());
  }
  if (options.page == parity_page && !app.workspace().documents.empty()) {
    if (auto done = run_parity(app); !done) return tl::unexpected(done.error());
  }
  const auto page = discretisation_page_named(options.page);
  if (page && page->page == DiscretisationPage::effect && !app.workspace().documents.empty()) {
    if (auto done = run_effect(app); !done) return tl::unexpected(done.error());
  }
  for (const Document& document : app.workspace().documents)
    report.models.push_back(report_on(document, options.steps, seconds));
  if (!options.trace.empty() && !app.workspace().documents.empty()) {
    if (auto written = write_trace(options.trace, app.workspace().documents.front()); !written)
      return tl::unexpected(written.error());
  }
  const std::size_t frames_now = app.frame_stats().count();
  const std::size_t enough = std::max<std::size_t>(frames_now + 8, least_frames);
  while (app.frame_stats().count() < enough) app.frame();
  // Figures that are made a slice in each frame, such as errors carried over many tokens, are drawn when they are whole.
  app.workspace().requests.redraw = true;
  if (!draw_until(app, [&] { return !std::exchange(app.workspace().requests.redraw, false); }))
    return engine::system_error("The figures were not complete after two minutes.");
  if (options.scroll > 0) {
    const bool records = app.workspace().document().timing_cache.record_rows.values != nullptr;
    const auto scrolled = records ? scroll_records(app, options.scroll) : scroll_through(app, options.scroll);
    if (!scrolled) return tl::unexpected(scrolled.error());
    report.scroll = *scrolled;
  }
  report.surface = app.surface().description();
  report.size = app.surface().size();
  report.ui_scale = static_cast<double>(app.workspace().ui_scale);
  report.frames = app.frame_stats().count();
  report.frame_median_ms = app.frame_stats().quantile_ms(0.5);
  report.slowest = app.frame_stats().slowest();
  report.frame_p99_ms = app.frame_stats().quantile_ms(0.99);
  if (!options.screenshot.empty()) {
    const auto written = write_png(options.screenshot, read_pixels(app.surface().size()));
    if (!written) return tl::unexpected(written.error());
  }
  return report;
}

}  // namespace app
