// mambascope profile: steps a model and says where the time of a step goes.
#include "app/commands/command_line.h"
#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "app/commands/preset_model.h"
#include "app/commands/profile_report.h"
#include "app/commands/second_process.h"
#include "app/wiring/profile_rows.h"
#include "app/wiring/timing_store.h"
#include "profiler/activity/process.h"
#include "profiler/export/table.h"
#include "profiler/export/trace.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>

namespace app {

namespace {

struct Options : CommonOptions {
  std::string preset, prompt;
  std::vector<std::int32_t> tokens;
  int steps = 64;
  int warmup = 8;
  std::string trace, csv, by = "kind";
  bool no_cupti = false, no_cost = false;
};

// The first ids as given; the others at random, because the time of a step does not depend on them.
engine::Result<std::vector<std::int32_t>> token_ids(const Options& options, const engine::Model& model) {
  std::vector<std::int32_t> ids = options.tokens;
  if (!options.prompt.empty()) {
    auto encoded = model.encode(options.prompt);
    if (!encoded) return tl::unexpected<engine::Error>(encoded.error());
    ids = std::move(*encoded);
  }
  const int vocabulary = model.config().vocab_size;
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= vocabulary) {
      return engine::input_error(
          fmt::format("Token id {} is not in [0, {}), the vocabulary of {}. Give ids of this "
                      "model.",
                      id, vocabulary, model.name));
    }
  }
  std::mt19937_64 random(options.seed);
  const std::size_t wanted = static_cast<std::size_t>(options.warmup) + static_cast<std::size_t>(options.steps);
  ids.resize(std::min(ids.size(), wanted));
  while (ids.size() < wanted) {
    ids.push_back(static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(vocabulary)));
  }
  return ids;
}

engine::Result<ProfileResult> measure(const Options& options, const engine::Model& model, engine::Backend& backend,
                                      TimingStore& store, const std::vector<std::int32_t>& ids) {
  for (const std::int32_t id : ids) {
    const auto stepped = backend.step({&id, 1}, &store);
    if (!stepped) return tl::unexpected<engine::Error>(stepped.error());
  }
  store.flush();
  ProfileResult result;
  result.model = model.name;
  result.backend = backend.info();
  result.plan = backend.plan();
  result.warmup = options.warmup;
  result.seed = options.seed;
  result.tokens = store.newest(static_cast<std::size_t>(options.steps));
  result.status = store.status();
  const auto by_stage = profiler::statistics_of(result.tokens, result.plan.stages.size()).stages;
  for (const auto& stage : by_stage) result.kernels.push_back(store.kernel_name(stage.name));
  return result;
}

ProfilingCost cost_of_cupti(const Options& options, const ProfileResult& with) {
  ProfilingCost cost;
  cost.wall_us_with = profiler::statistics_of(with.tokens, 0).step.wall.median / 1e3;
  std::vector<std::string> arguments = {"profile", "--no-cupti", "--json", "--backend", "cuda"};
  const auto add = [&](const char* option, const std::string& value) {
    arguments.emplace_back(option);
    arguments.push_back(value);
  };
  add("--a-activation", options.load.a_activation == engine::AActivation::heavy_tail ? "heavy-tail" : "softplus");
  add("--steps", std::to_string(options.steps));
  add("--warmup", std::to_string(options.warmup));
  add("--seed", std::to_string(options.seed));
  if (options.preset.empty()) {
    add("--", options.model);
  } else {
    add("--preset", options.preset);
  }
  const auto printed = run_this_program(arguments);
  if (!printed) {
    cost.problem = printed.error().message;
    return cost;
  }
  const auto other = nlohmann::json::parse(*printed, nullptr, false);
  const nlohmann::json::json_pointer place("/step_us/wall/median");
  if (other.is_discarded() || !other.contains(place) || !other[place].is_number() || other[place].get<double>() <= 0) {
    cost.problem = "the second process printed no wall time.";
    return cost;
  }
  cost.wall_us_without = other[place].get<double>();
  return cost;
}

int profile(const Options& options) {
  if (const auto writable = check_outputs({options.trace, options.csv}); !writable) return report(writable.error());
  const bool wants_gpu =
      options.backend == engine::BackendChoice::automatic || options.backend == engine::BackendChoice::cuda;
  // Before the first CUDA call, which looks for a device.
  if (wants_gpu) profiler::start_process_activity(!options.no_cupti);
  const auto model = open_model_or_preset(options, options.preset, "profile");
  if (!model) return report(model.error());
  const auto ids = token_ids(options, **model);
  if (!ids) return report(ids.error());
  engine::Result<ProfileResult> result;
  profiler::Export rows;
  {
    auto backend = engine::make_backend((*model)->weights, backend_options(options));
    if (!backend) return report(backend.error());
    const auto store = TimingStore::make(1, (*backend)->info().is_gpu, static_cast<std::size_t>(options.steps));
    result = measure(options, **model, **backend, *store, *ids);
    if (!result) return report(result.error());
    if (!options.trace.empty() || !options.csv.empty()) {
      rows = profile_rows(result->model, result->backend, result->plan, *store, result->tokens);
    }
  }
  profiler::stop_process_activity();
  if (result->status.source == profiler::TimeSource::cupti && !options.no_cost) {
    result->cost = cost_of_cupti(options, *result);
  }

  if (!options.trace.empty()) {
    const auto written = write_output(options.trace, [&](std::ostream& out) { write_chrome_trace(out, rows); });
    if (!written) return report(written.error());
  }
  if (!options.csv.empty()) {
    const auto written = write_output(options.csv, [&](std::ostream& out) { write_csv(out, rows); });
    if (!written) return report(written.error());
  }
  if (options.json) {
    print_json(profile_json(*result));
  } else {
    fmt::print("{}", profile_text(*result, options.by == "kind"    ? ProfileRows::kinds
                                           : options.by == "layer" ? ProfileRows::layers
                                                                   : ProfileRows::stages));
  }
  return 0;
}

}  // namespace

void add_profile(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("profile", "Step a model and print where the time of a step goes");
  CLI::Option* model = add_model_option(*command, *options);
  add_preset_option(*command, options->preset, model);
  CLI::Option* prompt =
      command->add_option("--prompt", options->prompt, "The first tokens, in the model's symbols or as text");
  add_tokens_option(*command, options->tokens, "The first tokens as ids: 1,2,3; the others are drawn with --seed")
      ->excludes(prompt);
  command->add_option("--steps", options->steps, "Steps to measure")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--warmup", options->warmup, "Steps before them that are not measured")
      ->check(CLI::Range(0, 10000))
      ->capture_default_str();
  command->add_option("--by", options->by, "Rows of the printed table; --json has all three")
      ->check(CLI::IsMember({"kind", "layer", "stage"}))
      ->capture_default_str();
  add_output_option(*command, "--trace", options->trace, "Write a Chrome trace that Perfetto opens", "FILE.json");
  add_output_option(*command, "--csv", options->csv, "Write one line for each piece of work", "FILE.csv");
  command->add_flag("--no-cupti", options->no_cupti,
                    "Leave CUPTI alone: for another profiler, or to see a step's wall time undisturbed");
  command->add_flag("--no-cost", options->no_cost,
                    "Do not run a second process without CUPTI to measure what CUPTI costs");
  add_backend_options(*command, *options);
  add_seed_option(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "On a GPU a stage's time comes from CUPTI activity records, on a CPU from the steady clock around the stage.\n"
      "CUPTI is looked for in MAMBASCOPE_CUPTI (a folder), then where the system keeps libraries, then in the "
      "toolkit.\n\n"
      "Examples:\n  mambascope profile parity --steps 200\n  mambascope profile path/to/folder --trace trace.json "
      "--csv "
      "times.csv\n  mambascope profile parity --by stage --backend cpu\n  mambascope profile --preset mimo-187m");
  command->callback([options, &action] { action = [options] { return profile(*options); }; });
}

}  // namespace app
