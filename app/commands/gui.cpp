#include "app/commands/command_line.h"
#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "app/commands/preset_model.h"
#include "app/shell/offscreen_job.h"
#include "app/viewmodel/timing_pages.h"
#include "app/wiring/interventions.h"
#include "engine/base/quote.h"
#include "engine/intervention/text.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <ostream>

namespace app {
namespace {

struct Options : CommonOptions {
  GuiOptions gui;
  std::string size = "1600x1000";
};

// An accuracy of no labelled position is none.
nlohmann::ordered_json known(const ModelEvaluation& model, double value) {
  return model.counts.total().labelled > 0 ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

nlohmann::ordered_json summary_of(const JobReport& report) {
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (const JobReport::Model& model : report.models) {
    nlohmann::ordered_json entry = {{"model", model.name},
                                    {"backend", model.backend},
                                    {"device", model.device},
                                    {"variant", model.variant},
                                    {"tokens", model.tokens},
                                    {"tokens_per_s", model.tokens_per_s},
                                    {"step_ms", model.step_ms},
                                    {"mean_step_ms", model.mean_step_ms},
                                    {"step_period_ms", model.period_ms},
                                    {"time_source", model.time_source},
                                    {"dropped_records", model.dropped_records}};
    if (model.judged > 0) {
      entry["judged_tokens"] = model.judged;
      entry["accuracy"] = static_cast<double>(model.right) / static_cast<double>(model.judged);
    }
    models.push_back(std::move(entry));
  }
  nlohmann::ordered_json evaluated = nlohmann::ordered_json::array();
  if (report.evaluation) {
    for (const ModelEvaluation& model : report.evaluation->models)
      evaluated.push_back({{"model", model.model},
                           {"task", model.card.task},
                           {"length", report.evaluation->choice.length},
                           {"sequences", model.counts.sequences},
                           {"seed", report.evaluation->choice.seed},
                           {"accuracy", known(model, model.counts.accuracy())},
                           {"scaled_accuracy", known(model, model.counts.scaled_accuracy())}});
  }
  nlohmann::ordered_json scroll;
  if (report.scroll)
    scroll = {{"frames", report.scroll->frames},
              {"pieces", report.scroll->pieces},
              {"most_vertices", report.scroll->vertices},
              {"frame_ms",
               {{"median", report.scroll->median_ms},
                {"p99", report.scroll->p99_ms},
                {"slowest", report.scroll->slowest_ms},
                {"panels", report.scroll->panels_ms}}}};
  nlohmann::ordered_json slowest = nlohmann::ordered_json::array();
  for (const SlowFrame& slow : report.slowest) {
    nlohmann::ordered_json parts = nlohmann::ordered_json::object();
    for (const FramePart& part : slow.parts) parts[part.name] = part.ms;
    slowest.push_back({{"frame", slow.frame}, {"ms", slow.ms}, {"parts", std::move(parts)}});
  }
  return {{"scroll", std::move(scroll)},
          {"models", std::move(models)},
          {"evaluation", std::move(evaluated)},
          {"surface", report.surface},
          {"size", {report.size.width, report.size.height}},
          {"ui_scale", report.ui_scale},
          {"first_frame_ms", report.first_frame_ms},
          {"frames", report.frames},
          {"frame_ms", {{"median", report.frame_median_ms}, {"p99", report.frame_p99_ms}}},
          {"slowest_frames", std::move(slowest)}};
}

int write_summary(const std::string& path, const nlohmann::ordered_json& summary) {
  const auto written = write_output(path, [&](std::ostream& out) {
    out << summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  });
  return written ? 0 : report(written.error());
}

void print_report(const JobReport& job, const GuiOptions& options) {
  for (const JobReport::Model& model : job.models) {
    fmt::print(stderr, "mambascope: {} on {}: {} tokens", model.name, model.device, model.tokens);
    if (model.tokens_per_s > 0)
      fmt::print(stderr, ", {:.0f} tokens/s, {:.3f} ms a step, one every {:.3f} ms", model.tokens_per_s, model.step_ms,
                 model.period_ms);
    if (model.judged > 0) fmt::print(stderr, ", {} of {} predicted right", model.right, model.judged);
    fmt::print(stderr, "\n");
  }
  if (job.evaluation) {
    for (const ModelEvaluation& model : job.evaluation->models) {
      const std::string right = model.counts.total().labelled > 0
                                    ? fmt::format("{:.3f} % right", 100 * model.counts.accuracy())
                                    : std::string("no position carries a label");
      fmt::print(stderr, "mambascope: {} on {}: {} in {} sequences of length {}\n", model.model, model.card.task, right,
                 model.counts.sequences, job.evaluation->choice.length);
    }
  }
  fmt::print(stderr, "mambascope: {}; first frame after {:.0f} ms; {} frames, median {:.1f} ms, 99 % below {:.1f} ms\n",
             job.surface, job.first_frame_ms, job.frames, job.frame_median_ms, job.frame_p99_ms);
  if (job.scroll)
    fmt::print(stderr,
               "mambascope: scrolled along {} pieces of work in {} frames: median {:.1f} ms, 99 % below {:.1f} ms, the "
               "slowest {:.1f} ms, of which what is drawn was made in at most {:.1f} ms, at most {} vertices\n",
               job.scroll->pieces, job.scroll->frames, job.scroll->median_ms, job.scroll->p99_ms,
               job.scroll->slowest_ms, job.scroll->panels_ms, job.scroll->vertices);
  for (const std::string& file : {options.screenshot, options.summary, options.trace})
    if (!file.empty()) fmt::print(stderr, "mambascope: wrote {}\n", engine::printable(file));
}

// The built-in model that the window opens by itself, where the program has it.
void choose_models(GuiOptions& options) {
  if (!options.models.empty() || !options.preset.empty() || !options.profiles.empty() || !options.recordings.empty())
    return;
  const std::vector<std::string> builtin = engine::builtin_models();
  if (std::find(builtin.begin(), builtin.end(), "parity") != builtin.end()) options.models = {"parity"};
}

// WIDTHxHEIGHT, both as whole_number_in reads them.
bool read_size(const std::string& text, SurfaceSize& out) {
  const std::size_t by = text.find('x');
  if (by == std::string::npos) return false;
  const std::string width = text.substr(0, by), height = text.substr(by + 1);
  const auto fits = whole_number_in(64, 8192);
  if (!fits(width).empty() || !fits(height).empty()) return false;
  out = {std::stoi(width), std::stoi(height)};
  return true;
}

int run_gui(const Options& parsed) {
  GuiOptions options = parsed.gui;
  if (!read_size(parsed.size, options.size))
    return report(
        {engine::ErrorKind::input,
         fmt::format("--size {}: give WIDTHxHEIGHT in pixels, 64 to 8192 each, such as 1600x1000.", parsed.size)});
  if (!options.panel.empty() && find_panel(options.panel).empty())
    return report({engine::ErrorKind::input, fmt::format("--panel {}: no panel has that name; the panels are: {}.",
                                                         options.panel, fmt::join(panel_names(), ", "))});
  if (!options.page.empty() && !discretisation_page_named(options.page) && !is_intervention_page(options.page) &&
      !timing_page_named(options.page) && options.page != parity_page) {
    std::string names, timings;
    for (const DiscretisationPageName& entry : discretisation_pages)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.name);
    for (const auto& [name, page] : timing_pages) timings += fmt::format("{}, ", name);
    timings += records_page;
    return report(
        {engine::ErrorKind::input,
         fmt::format("--page {}: the pages of the discretisation panel are: {}; of the interventions panel: {}; "
                     "of the kernel timings: {}; and {}.",
                     options.page, names, fmt::join(intervention_pages, ", "), timings, parity_page)});
  }
  // What is in force shows in every panel.
  if (!options.panel.empty() && !options.page.empty() && options.page != "in-force") {
    const std::string other = panel_of_page(options);
    if (!other.empty() && other != find_panel(options.panel) && (options.fill || !timing_page_named(options.page)))
      return report(
          {engine::ErrorKind::input, fmt::format("--page {} is of the panel {}, and --panel {} is another one: "
                                                 "give one of the two.",
                                                 options.page, other, options.panel)});
  }
  const std::size_t with_times = options.models.size() + options.profiles.size() + (options.preset.empty() ? 0 : 1);
  if (options.page == records_page && with_times > 1)
    return report(
        {engine::ErrorKind::input,
         "--page records is the table of one profile; of several the table beside them compares two: open one "
         "alone."});
  if (!options.changes.empty() && options.page.empty()) options.page = "interventions";
  const bool offscreen = options.offscreen || !have_display();
  if (!options.changes.empty() && !is_intervention_page(options.page))
    return report({engine::ErrorKind::input,
                   fmt::format("--change does nothing on --page {}: give one of the pages {}, or leave --page out.",
                               options.page, fmt::join(intervention_pages, ", "))});
  if (!options.changes.empty() && !offscreen)
    return report({engine::ErrorKind::input, "--change is for drawing without a display: add --offscreen."});
  if (offscreen && options.changes.empty() && (options.page == "dose" || options.page == "in-force"))
    return report(
        {engine::ErrorKind::input,
         fmt::format("--page {} draws an intervention: add one, such as --change \"rotation*0\".", options.page)});
  if (!options.plant.empty() && options.page != parity_page)
    return report({engine::ErrorKind::input, "--plant is for --page parity."});
  for (const std::string& text : options.changes) {
    if (const auto read = engine::parse_intervention(text); !read) return report(read.error());
  }
  if (const auto writable = check_outputs({options.screenshot, options.summary, options.trace}); !writable)
    return report(writable.error());
  options.backend = backend_options(parsed);
  options.load = parsed.load;
  options.seed = parsed.seed;
  choose_models(options);
  if (!options.offscreen && !have_display()) {
    fmt::print(stderr, "mambascope: no display (DISPLAY and WAYLAND_DISPLAY are empty): drawing offscreen\n");
    options.offscreen = true;
  }
  const bool writes = !options.screenshot.empty() || !options.summary.empty() || !options.trace.empty();
  if (!options.offscreen && (writes || options.steps > 0 || options.fps > 0 || options.evaluate || options.scroll > 0))
    return report({engine::ErrorKind::input,
                   "--steps, --fps, --screenshot, --summary, --trace, --scroll and --evaluate are for drawing without "
                   "a display: add "
                   "--offscreen."});
  auto app = App::open(options);
  if (!app) return report(app.error());
  if (!options.offscreen) {
    (*app)->run();
    return 0;
  }
  const auto job = run_offscreen_job(**app, options);
  if (!job) return report(job.error());
  if (!options.summary.empty()) {
    if (const int failed = write_summary(options.summary, summary_of(*job)); failed != 0) return failed;
  }
  print_report(*job, options);
  return 0;
}

}  // namespace

void add_gui(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("gui", "Open the window (the same without a subcommand)");
  GuiOptions& gui = options->gui;
  add_model_option(*command, *options);
  command->remove_option(command->get_option("MODEL"));
  CLI::Option* models =
      command
          ->add_option("MODEL", gui.models,
                       "Models to open side by side: folders, weight files or built-in names; default: parity")
          ->check(not_empty("a folder, a file or a name"));
  add_preset_option(*command, gui.preset, models);
  command
      ->add_option("--profile", gui.profiles,
                   "Recorded profiles to open, without model and GPU: files that `profile --save` wrote, or names that "
                   "`profile --list` prints")
      ->check(not_empty("the name of a profile"))
      ->type_name("FILE|NAME")
      ->take_all();
  command
      ->add_option("--recording", gui.recordings,
                   "Recorded tokens to open, without the model's weights: files that `record` wrote, or what an "
                   "interrupted one left (also as MODEL)")
      ->check(not_empty("the name of a file"))
      ->type_name("FILE")
      ->take_all();
  command->add_flag("--offscreen", gui.offscreen, "Draw without a display, then end");
  command->add_option("--steps", gui.steps, "Tokens to step before the screenshot (offscreen)")
      ->check(whole_number_in(0, 1 << 24))
      ->capture_default_str();
  command
      ->add_option("--fps", gui.fps,
                   "Frames a second while tokens are stepped, as a display shows them; default: one for every token "
                   "(offscreen)")
      ->check(number_in(0.1, 1000));
  add_output_option(*command, "--screenshot", gui.screenshot, "Write the last frame to a PNG file (offscreen)",
                    "FILE.png");
  add_output_option(*command, "--summary", gui.summary, "Write what was done and measured to a JSON file (offscreen)",
                    "FILE.json");
  add_output_option(*command, "--trace", gui.trace,
                    "Write the stages' times of the first model as a Chrome trace (offscreen)", "FILE.json");
  command->add_flag("--evaluate", gui.evaluate, "Measure the first model's accuracy before the screenshot (offscreen)");
  command->add_flag("--ablations", gui.evaluation.family, "With --evaluate: the built-in models of its family too");
  command->add_option("--length", gui.evaluation.length, "Tokens in each sequence that is evaluated")
      ->check(whole_number_in(1, 1 << 16))
      ->capture_default_str();
  command->add_option("--sequences", gui.evaluation.sequences, "Number of sequences that are evaluated")
      ->check(whole_number_in(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--size", options->size, "Size of the window in pixels")->type_name("WxH")->capture_default_str();
  command->add_option("--panel", gui.panel, "Bring this panel to the front, by a part of its name")
      ->check(not_empty("a part of a panel's name"))
      ->type_name("NAME");
  command
      ->add_option(
          "--page", gui.page,
          "Page of the discretisation panel: own-input, accumulated, lambda, test-signal, stability, formulas, "
          "effect (runs it; offscreen); of the interventions panel: interventions, in-force, dose, patching (runs "
          "them; offscreen); or of the kernel timings: timeline, bars, histogram, roofline, all-tokens, ranks, "
          "compare, records; or parity (compares the backends; offscreen)")
      ->check(not_empty("the name of a page"))
      ->type_name("NAME");
  command
      ->add_option("--plant", gui.plant,
                   "With --page parity: turn the sign of one weight in every candidate, such as layers.0.mixer.D[1]")
      ->check(not_empty("the name of a weight"))
      ->type_name("TENSOR[I]");
  command
      ->add_option(
          "--change", gui.changes,
          "An intervention for those pages, as for intervene: beside the first model, or with in-force its own "
          "(offscreen)")
      ->expected(1)
      ->take_all()
      ->type_name("TEXT");
  command
      ->add_option("--scroll", gui.scroll,
                   "With --page all-tokens or records: scroll along it for that many frames, zooming or sorting and "
                   "filtering meanwhile, and time them (offscreen)")
      ->check(whole_number_in(1, 8192));
  command->add_flag("--fill", gui.fill, "With --panel: that panel alone, over the whole window");
  command->add_option("--ui-scale", gui.ui_scale, "Size of everything, 0.75 to 2; default: the monitor's")
      ->check(number_in(0.75, 2));
  command
      ->add_option("--history-mb", gui.history_mb,
                   "Memory for each model's history, in MiB; default: 512, more where a state is large")
      ->type_name("MIB")
      ->check(whole_number_in(1, 1 << 20));
  command->add_flag_callback(
      "--through-host", [&gui] { gui.share_gpu = false; },
      "Bring the whole state's picture through the host's memory even where the window's GPU computes");
  command->add_flag("--light", gui.light, "The light theme");
  add_seed_option(*command, *options);
  add_backend_options(*command, *options);
  command->footer(
      "Of a prompt of 256 tokens or more the last 64 are stepped. Those before them are prefilled, taken at once, "
      "where the backend does that (cuda, reference) and the model does not label positions; their numbers come when "
      "one goes to them. The window has another count, or all stepped, where the prompt is written.\n\n"
      "Examples:\n  mambascope gui parity\n"
      "  mambascope gui parity --offscreen --steps 64 --screenshot parity.png --summary parity.json\n"
      "  mambascope gui --profile before.profile\n"
      "  mambascope gui --profile siso-1.5b-fused-graph --offscreen --page all-tokens --scroll 600\n"
      "  mambascope gui --recording parity.safetensors\n"
      "  mambascope gui parity --offscreen --evaluate --ablations --panel Accuracy --screenshot accuracy.png");
  command->callback([options, command, &action] {
    const GuiOptions& asked = options->gui;
    refuse_idle(*command, "--fill", !asked.panel.empty() || !asked_panel(asked).empty(), "--panel NAME");
    const bool scrolls = timing_page_named(asked.page) == TimingPage::run || asked.page == records_page;
    refuse_idle(*command, "--scroll", scrolls, "--page all-tokens or records");
    // In a window these are what its panels begin with.
    if (asked.offscreen || !have_display()) {
      const bool computes =
          !asked.models.empty() || !asked.preset.empty() || (asked.profiles.empty() && asked.recordings.empty());
      for (const char* option : {"--backend", "--variant", "--products", "--state", "--threads", "--seed",
                                 "--a-activation", "--history-mb", "--through-host"})
        refuse_idle(*command, option, computes, "a MODEL or --preset");
      const auto page = discretisation_page_named(asked.page);
      const bool runs = asked.evaluate || (page && page->page == DiscretisationPage::effect);
      refuse_idle(*command, "--ablations", asked.evaluate, "--evaluate");
      refuse_idle(*command, "--length", runs, "--evaluate or --page effect");
      refuse_idle(*command, "--sequences", runs, "--evaluate or --page effect");
      refuse_idle(*command, "--fps", asked.steps > 0, "--steps 1 or more");
    }
    action = [options] { return run_gui(*options); };
  });
}

}  // namespace app
