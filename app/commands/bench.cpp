// mambascope bench: how fast a step is, verified before and after, beside the copy rate of the same run.
#include "engine/bench/bench.h"

#include "app/commands/bench_kernel.h"
#include "app/commands/bench_report.h"
#include "app/commands/bench_seek.h"
#include "app/commands/bench_sweep.h"
#include "app/commands/command_line.h"
#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "app/commands/preset_model.h"
#include "app/commands/progress.h"
#include "app/commands/sampler_options.h"
#include "engine/base/quote.h"
#include "engine/intervention/no_effect.h"
#include "engine/intervention/text.h"
#include "engine/model/presets.h"
#include "engine/model/random_weights.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <sstream>

namespace app {

namespace {

using engine::CacheState;

struct Options : CommonOptions {
  std::string preset, csv, sweep;
  std::vector<int> batches = {1};
  std::vector<std::string> changes;  // under which steps are timed, too
  bool has_batches = false, asks_for_graph = false;
  engine::Sampler sampler;
  std::vector<engine::Sampler::Kind> generate;
  std::string graph = "on", l2 = "warm";
  engine::BenchOptions bench;
};

// Whether a model can show anything under them: neutral ones are no failed check. Those beside others are named.
engine::Result<void> check_interventions(const std::vector<engine::Intervention>& list,
                                         const engine::ModelConfig& config) {
  const auto none = engine::without_effect(list, config, std::numeric_limits<std::int64_t>::max(), false);
  if (!list.empty() && none.size() == list.size()) {
    return engine::input_error(
        fmt::format("{} Leave --intervene out, or give one that changes something.", fmt::join(none, " ")));
  }
  for (const std::string& words : none) fmt::print(stderr, "mambascope: {}\n", words);
  return {};
}

// Times the model at every batch and appends the rows.
engine::Result<void> time_model(const engine::Model& model, Options options, std::vector<BenchRow>& rows) {
  if (auto shows = check_interventions(options.bench.interventions, model.config()); !shows) return shows;
  const auto on_host = engine::draw_on_host(model.weights);
  if (!on_host) return tl::unexpected(on_host.error());
  for (const int batch : options.batches) {
    options.bench.backend = backend_options(options, batch);
    options.bench.backend.graph = options.graph == "on";
    std::optional<Progress> progress;
    auto result = engine::run_bench(model.weights, *on_host, options.bench, [&](const char* what, double done) {
      progress.emplace(fmt::format("{}, batch {}: {}", model.name, batch, what));
      progress->show(done);
    });
    if (!result) return tl::unexpected(result.error());
    for (BenchRow& row : bench_rows(*result, model, options.preset, options.bench)) rows.push_back(std::move(row));
  }
  return {};
}

// After an error the rows of what was timed before it are there.
engine::Result<void> time_all(const Options& options, std::vector<BenchRow>& rows) {
  if (options.sweep.empty() || options.sweep == "batch") {
    const auto model = open_model_or_preset(options, options.preset, "bench");
    return model ? time_model(**model, options, rows) : tl::unexpected(model.error());
  }
  const auto config = engine::preset(options.preset);
  if (!config) return tl::unexpected(config.error());
  for (const SweptShape& shape : swept_shapes(options.sweep, *config)) {
    const auto model = random_model(options, options.preset + shape.mark, shape.config);
    if (!model) return tl::unexpected(model.error());
    if (auto timed = time_model(**model, options, rows); !timed) return timed;
  }
  return {};
}

void print(const std::vector<BenchRow>& rows, const Options& options) {
  if (!options.json) {
    const bool one_title = options.sweep.empty() || options.preset.empty();
    print_table(rows, one_title ? rows.front().title : options.preset + ", random weights", options.bench);
  } else if (rows.size() == 1) {
    print_json(json_of(rows.front(), options.bench));
  } else {
    nlohmann::ordered_json runs = nlohmann::ordered_json::array();
    for (const BenchRow& row : rows) runs.push_back(json_of(row, options.bench));
    print_json({{"sweep", options.sweep.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(options.sweep)},
                {"runs", runs}});
  }
}

int refuse(std::string message) { return report(engine::Error{engine::ErrorKind::input, std::move(message)}); }

int bench(Options options) {
  if (const auto writable = check_outputs({options.csv}); !writable) return report(writable.error());
  if ((options.sweep == "rank" || options.sweep == "state") && options.preset.empty()) {
    return refuse(
        fmt::format("--sweep {} changes the model's shape, which needs random "
                    "weights: give a --preset in place of MODEL.",
                    options.sweep));
  }
  if (options.sweep == "batch") {
    if (options.has_batches) return refuse("--sweep batch goes through its own batches; leave --batch out.");
    options.batches = swept_batches();
  }
  if (options.asks_for_graph && engine::choice_made(options.backend) != engine::BackendChoice::cuda) {
    return refuse("Only the cuda backend has CUDA graphs. Use --backend cuda, or leave --graph out.");
  }
  options.sampler.seed = options.seed;
  for (const engine::Sampler::Kind kind : options.generate) {
    options.bench.generate.push_back(options.sampler);
    options.bench.generate.back().kind = kind;
  }
  options.bench.caches = options.l2 == "both"   ? std::vector{CacheState::warm, CacheState::cold}
                         : options.l2 == "cold" ? std::vector{CacheState::cold}
                                                : std::vector{CacheState::warm};
  for (const std::string& text : options.changes) {
    auto read = engine::parse_intervention(text);
    if (!read) return report(read.error());
    options.bench.interventions.push_back(*read);
  }
  std::vector<BenchRow> rows;
  const auto timed = time_all(options, rows);
  if (!rows.empty()) print(rows, options);
  if (!options.csv.empty() && !rows.empty()) {
    const auto written = write_output(options.csv, [&](std::ostream& out) { write_csv(out, rows); });
    if (!written) return report(written.error());
  }
  if (!timed) return report(timed.error());
  return std::all_of(rows.begin(), rows.end(), [](const BenchRow& row) { return row.bench.verified; }) ? 0 : 1;
}

}  // namespace

void add_bench(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("bench", "Measure how long a step takes; verified before and after");
  CLI::Option* model = add_model_option(*command, *options);
  add_preset_option(*command, options->preset, model);
  CLI::Option* batch = add_whole_numbers(*command, "--batch", options->batches, 1, 65535,
                                         "Sequences stepped together; several with commas: 1,8,32");
  command
      ->add_option("--sweep", options->sweep,
                   "One line for each batch (1 to 512), rank (1, 2, 4, 8) or state size N (32 to 256); rank and state "
                   "change that one size of a preset's shape")
      ->check(CLI::IsMember({"batch", "rank", "state"}));
  const CLI::Option* graph =
      command->add_option("--graph", options->graph, "On a GPU, launch the whole step as one CUDA graph: on or off")
          ->check(CLI::IsMember({"on", "off"}))
          ->capture_default_str();
  command
      ->add_option("--l2", options->l2,
                   "What a step finds in a GPU's L2: warm, what the step "
                   "before it left; cold, nothing; both, each timed")
      ->check(CLI::IsMember({"warm", "cold", "both"}))
      ->capture_default_str();
  command->add_option("--steps", options->bench.steps, "Steps that are timed")
      ->check(whole_number_in(1, 100000))
      ->capture_default_str();
  command->add_option("--warmup", options->bench.warmup, "Steps before them that are not")
      ->check(whole_number_in(0, 100000))
      ->capture_default_str();
  command
      ->add_option("--publish", options->bench.publish_layer,
                   "Also time steps that hand over this layer's state, all coefficients and the logits, each while the "
                   "next step runs")
      ->check(whole_number_in(0, 100000))
      ->type_name("LAYER");
  command->add_flag("--errors", options->bench.errors,
                    "Also time steps that measure the errors of the discretisation rules in every head, and hold the "
                    "errors against the analysis in double");
  command->add_flag("--neutral-interventions", options->bench.neutral,
                    "Also time steps with interventions on everything that change nothing, and hold their bits against "
                    "those of steps without");
  command
      ->add_option("--intervene", options->changes,
                   "Also time steps under this intervention, as for intervene and without tokens, and hold them "
                   "against the other backend's; several are in force together")
      ->expected(1)
      ->take_all()
      ->type_name("TEXT");
  command->add_flag("--tiles", options->bench.tiles,
                    "Also time steps after which the whole state is read at a coarser grain, as the window's picture "
                    "of it is, and hold the last against the state itself");
  command
      ->add_option("--prefill", options->bench.prefill_tokens,
                   "Also time the prefill of a text of so many tokens beside stepping it, and compare what both leave")
      ->check(whole_number_in(1, 1 << 20))
      ->type_name("LENGTH");
  command
      ->add_option_function<std::string>(
          "--generate",
          [options](const std::string& words) {
            options->generate.clear();
            std::istringstream in(words);
            for (std::string word; std::getline(in, word, ',');) options->generate.push_back(sampler_kind(word));
          },
          "Also time a model that runs on ids that it draws itself, with each of these samplers: greedy,top-p")
      ->check([](const std::string& words) {
        const auto& known = sampler_words();
        std::istringstream in(words + ",");
        for (std::string word; std::getline(in, word, ',');) {
          if (std::find(known.begin(), known.end(), word) == known.end()) {
            return fmt::format("{} is not one of {}", engine::in_quotes(word), fmt::join(known, ", "));
          }
        }
        return std::string();
      })
      ->type_name("SAMPLERS");
  add_sampler_settings(*command, options->sampler);
  add_output_option(*command, "--csv", options->csv, "Write one line for each line of the table", "FILE.csv");
  add_backend_options(*command, *options);
  add_seed_option(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "A run that does not verify gets no speed, and the exit code "
      "is 1. The time is that of one step: one token for "
      "each\n"
      "sequence of the batch.\n\n"
      "Examples:\n  mambascope bench parity --backend cpu\n  "
      "mambascope bench --preset siso-187m --batch 1,8,32 --csv "
      "times.csv\n  mambascope bench --preset mimo-1.5b --graph "
      "off --json\n  mambascope bench --preset siso-187m --l2 "
      "both\n  mambascope bench --preset mimo-1.5b --sweep rank --csv ranks.csv\n"
      "  mambascope bench --preset siso-1.5b --variant fused --state bf16 --publish 5\n"
      "  mambascope bench --preset siso-187m --variant fused --errors\n"
      "  mambascope bench --preset siso-1.5b --variant fused --prefill 2000\n"
      "  mambascope bench --preset siso-1.5b --neutral-interventions --tiles\n"
      "  mambascope bench --preset siso-1.5b --intervene \"rotation*0 @ layers 5\"\n"
      "  mambascope bench --preset siso-1.5b --variant fused --generate greedy,top-p --temperature 0.8");
  // The callback of `bench kernel` comes before this one.
  const CLI::App* kernel = add_bench_kernel(*command, action);
  const CLI::App* seek = add_bench_seek(*command, action);
  command->callback([options, batch, graph, command, kernel, seek, &action] {
    if (kernel->parsed() || seek->parsed()) {
      for (const CLI::Option* given : command->get_options()) {
        if (given->count() > 0) {
          throw CLI::ValidationError(given->get_name() + " stands before " + (kernel->parsed() ? "kernel" : "seek") +
                                     ": put it behind, where it is read");
        }
      }
      return;
    }
    refuse_idle_settings(*command, options->generate, "--generate");
    options->has_batches = batch->count() > 0;
    options->asks_for_graph = graph->count() > 0 && options->graph == "on";
    action = [options] { return bench(*options); };
  });
}

}  // namespace app
