// mambascope profile: steps a model and says where the time of a step goes.
#include "app/commands/command_line.h"
#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "app/commands/preset_model.h"
#include "app/commands/profile_accounting.h"
#include "app/commands/profile_counters.h"
#include "app/commands/profile_files.h"
#include "app/commands/profile_ranks.h"
#include "app/commands/profile_run.h"
#include "app/commands/profile_samples.h"
#include "engine/bench/clocks.h"
#include "profiler/activity/process.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace app {

namespace {

int refuse(std::string message) { return report(engine::Error{engine::ErrorKind::input, std::move(message)}); }

// Of the device that was timed, when nothing else is on it.
CopyRate copy_rate_of(const ProfileResult& result) {
  const auto rate = engine::measure_copy_rate(result.backend);
  if (!rate) return {0, rate.error().message};
  return {*rate, ""};
}

void print(const ProfileOptions& options, const std::vector<ProfileRun>& runs, const CopyRate& copy) {
  const std::optional<StageCounters>& counters = runs[0].result.counters;
  const bool both = runs.size() == 2;
  if (!options.json) {
    const ProfileRows rows = rows_named(options.by);
    for (const ProfileRun& run : runs) {
      fmt::print("{}{}{}{}", profile_text(run.result, rows), accounting_text(run.result, copy),
                 run.result.samples ? samples_text(*run.result.samples, run.result) : std::string(), both ? "\n" : "");
    }
    if (both) fmt::print("{}", eager_and_graph_text(runs[0].result, runs[1].result));
    if (counters) fmt::print("{}", counters_text(*counters, runs[0].result));
    return;
  }
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const ProfileRun& run : runs) {
    auto one = profile_json(run.result);
    one["accounting"] = accounting_json(run.result, copy);
    if (run.result.samples) one["samples"] = samples_report_json(*run.result.samples, run.result);
    all.push_back(std::move(one));
  }
  nlohmann::ordered_json out = both ? nlohmann::ordered_json{{"runs", all}} : all[0];
  if (both) out["eager_and_graph"] = eager_and_graph_json(runs[0].result, runs[1].result);
  if (counters) out["counters"] = counters_report_json(*counters, runs[0].result);
  print_json(out);
}

int profile_ranks(const ProfileOptions& options) {
  const auto family = run_ranks(options, options.ranks);
  if (!family) return report(family.error());
  profiler::stop_process_activity();
  return keep_and_print(*family, options.files, options.json);
}

// The second process of --counters: no activity session, one JSON object.
int count(const ProfileOptions& options) {
  const auto model = open_model_or_preset(options, options.preset, "profile");
  if (!model) return report(model.error());
  const auto counters = count_token(options, **model);
  if (!counters) return report(counters.error());
  print_json(counters_json(*counters));
  return 0;
}

// The second process of --pm-sampling, likewise.
int sample(const ProfileOptions& options) {
  const auto model = open_model_or_preset(options, options.preset, "profile");
  if (!model) return report(model.error());
  const auto samples = sample_tokens(options, **model);
  if (!samples) return report(samples.error());
  print_json(samples_json(*samples));
  return 0;
}

// Why these options do not go together; empty: they do.
std::string contradiction(const ProfileOptions& options) {
  const bool both = options.graph == "both";
  const ProfileFiles& files = options.files;
  if (both && !(files.save.empty() && files.trace.empty() && files.csv.empty())) {
    return "--save, --trace and --csv take the pieces of one run: give --graph on or --graph off.";
  }
  if (options.ranks.empty()) return "";
  if (options.counters) return "--ranks has no --counters: count one rank's model for that.";
  if (options.samples) return "--ranks has no --pm-sampling: sample one rank's model for that.";
  if (both) return "--ranks compares shapes, --graph both ways of launching: give --graph on or --graph off.";
  if (!files.trace.empty()) return "--ranks writes no --trace: profile one rank's model for that.";
  return "";
}

int profile(const ProfileOptions& options) {
  const ProfileFiles& files = options.files;
  if (const auto writable = check_outputs({files.save, files.trace, files.csv}, {files.open}); !writable) {
    return report(writable.error());
  }
  if (files.list) return list_profiles(options.json);
  if (!files.open.empty()) return open_profile(files, rows_named(options.by), options.json);
  if (std::string wrong = contradiction(options); !wrong.empty()) return refuse(std::move(wrong));
  const bool wants_gpu =
      options.backend == engine::BackendChoice::automatic || options.backend == engine::BackendChoice::cuda;
  // Before the first CUDA call, which looks for a device.
  if (wants_gpu) profiler::start_process_activity(!options.no_cupti && !options.counters_only && !options.samples_only);
  if (options.counters_only) return count(options);
  if (options.samples_only) return sample(options);
  const bool cuda = engine::choice_made(options.backend) == engine::BackendChoice::cuda;
  const auto why_not = [&] { return wants_gpu ? engine::why_no_cuda() : std::string(); };
  if (options.graph != "off" && !cuda)
    return refuse(fmt::format("--graph {} needs the cuda backend: a CUDA graph holds the step's kernels. {}",
                              options.graph, why_not()));
  if (options.wait && !cuda)
    return refuse(fmt::format("--wait needs the cuda backend: a CPU's steps are always waited for. {}", why_not()));
  if (!options.ranks.empty()) return profile_ranks(options);
  const auto model = open_model_or_preset(options, options.preset, "profile");
  if (!model) return report(model.error());
  const auto ids = profiled_ids(options, **model);
  if (!ids) return report(ids.error());
  std::vector<ProfileRun> runs;
  for (const bool graph : {false, true}) {
    if (options.graph != "both" && graph != (options.graph == "on")) continue;
    auto run = run_profile(options, **model, *ids, graph, static_cast<std::uint16_t>(runs.size() + 1));
    if (!run) return report(run.error());
    runs.push_back(std::move(*run));
    if (runs.back().ended) break;
  }
  const std::optional<engine::Error> ended = runs.back().ended;
  profiler::stop_process_activity();
  for (ProfileRun& run : runs) {
    if (run.result.status.source != profiler::TimeSource::cupti || options.no_cost || ended) continue;
    measure_cost_of_cupti(options, run);
  }
  if (options.counters && !ended) {
    const StageCounters counters = count_in_second_process(options, runs[0].result);
    for (ProfileRun& run : runs) run.result.counters = counters;
  }
  if (options.samples && !ended)
    for (ProfileRun& run : runs) run.result.samples = sample_in_second_process(options, run.result);
  CopyRate copy{0, "there are no times of stages"};
  if (ended) copy.problem = "the device failed";
  if (runs[0].result.status.source != profiler::TimeSource::none && !ended) copy = copy_rate_of(runs[0].result);
  for (ProfileRun& run : runs) run.result.copy_bytes_per_second = copy.bytes_per_second;
  if (runs.size() == 1) {
    if (const auto kept = keep_profile(runs[0].result, files); !kept) return report(kept.error());
  }
  print(options, runs, copy);
  return ended ? report(*ended) : 0;
}

}  // namespace

void add_profile(CLI::App& program, Action& action) {
  auto options = std::make_shared<ProfileOptions>();
  CLI::App* command = program.add_subcommand("profile", "Step a model and print where the time of a step goes");
  CLI::Option* model = add_model_option(*command, *options);
  add_preset_option(*command, options->preset, model);
  CLI::Option* prompt =
      command->add_option("--prompt", options->prompt, "The first tokens, in the model's symbols or as text")
          ->check(not_empty("a text"));
  add_tokens_option(*command, options->tokens, "The first tokens as ids: 1,2,3; the others are drawn with --seed")
      ->excludes(prompt);
  command->add_option("--steps", options->steps, "Steps to measure")
      ->check(whole_number_in(1, 100000))
      ->capture_default_str();
  command->add_option("--warmup", options->warmup, "Steps before them that are not measured")
      ->check(whole_number_in(0, 10000))
      ->capture_default_str();
  command->add_option("--batch", options->batch, "Sequences stepped together")
      ->check(whole_number_in(1, 65535))
      ->capture_default_str();
  command
      ->add_option(
          "--graph", options->graph,
          "On a GPU, launch the whole step as one CUDA graph: on, off, or both, one after the other and side by "
          "side")
      ->check(CLI::IsMember({"on", "off", "both"}))
      ->capture_default_str();
  add_whole_numbers(*command, "--ranks", options->ranks, 1, 64,
                    "The MODEL's or --preset's shape with random weights at several ranks, each verified and timed: "
                    "1,2,4,8 (1 is SISO)");
  command->add_option("--by", options->by, "Rows of the printed table; --json has all three")
      ->check(CLI::IsMember({"kind", "layer", "stage"}))
      ->capture_default_str();
  command->add_flag("--errors", options->errors,
                    "Steps measure the errors of the discretisation rules, as they do in the window");
  command->add_flag("--counters", options->counters,
                    "Also count what each stage of one token does to the hardware (memory and L2 bytes, shares of the "
                    "peaks), in a second process");
  command->add_flag("--counters-only", options->counters_only)->group("");
  command->add_flag("--pm-sampling", options->samples,
                    "Also sample the hardware's counters every 2 us over some tokens (multiprocessors, memory, tensor "
                    "cores), in a second process that leaves the kernels as they are");
  command->add_flag("--samples-only", options->samples_only)->group("");
  command->add_flag(
      "--wait", options->wait,
      "On a GPU, wait for each step before the next is queued, as whoever picks tokens on the host must; else the next "
      "step is queued while one runs (up to --batch 8; larger ones are always waited for)");
  command->add_flag("--no-cupti", options->no_cupti,
                    "Leave CUPTI alone: for another profiler, or to see a step's wall time undisturbed");
  command->add_flag("--no-cost", options->no_cost,
                    "Do not run a second process without CUPTI to measure what CUPTI costs");
  add_backend_options(*command, *options);
  add_seed_option(*command, *options);
  add_profile_files(
      *command, options->files,
      {"MODEL",     "--preset",   "--prompt",   "--tokens",      "--steps",    "--warmup",      "--batch", "--graph",
       "--ranks",   "--errors",   "--counters", "--pm-sampling", "--no-cupti", "--no-cost",     "--wait",  "--backend",
       "--variant", "--products", "--state",    "--threads",     "--seed",     "--a-activation"});
  add_json_option(*command, *options);
  command->footer(
      "On a GPU a stage's time comes from CUPTI activity records, on a CPU from the steady clock around the stage.\n"
      "CUPTI is looked for in MAMBASCOPE_CUPTI (a folder), then where the system keeps libraries, then in the "
      "toolkit.\n\n"
      "Examples:\n  mambascope profile parity --steps 200\n  mambascope profile path/to/folder --trace trace.json "
      "--csv "
      "times.csv\n  mambascope profile parity --by stage --backend cpu\n  mambascope profile --preset mimo-187m --save "
      "mimo.profile\n  mambascope "
      "profile --open mimo.profile --by layer\n  mambascope profile --preset mimo-187m --variant fused --graph both\n  "
      "mambascope profile --preset siso-187m --ranks 1,2,4,8 --save ranks.profile\n  mambascope profile --preset "
      "siso-1.5b "
      "--counters\n  mambascope profile --preset siso-1.5b --variant fused --graph on --pm-sampling --trace "
      "trace.json");
  command->callback([options, command, &action] {
    refuse_idle(*command, "--by", !options->json && options->ranks.empty() && !options->files.list,
                "the printed table of one profile, so no --json, no --ranks and no --list");
    action = [options] { return profile(*options); };
  });
}

}  // namespace app
