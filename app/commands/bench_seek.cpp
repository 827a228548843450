#include "app/commands/bench_seek.h"

#include "app/commands/options.h"
#include "app/commands/preset_model.h"
#include "app/commands/progress.h"
#include "engine/bench/seeking.h"
#include "profiler/report/statistics.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>

namespace app {

namespace {

struct Options : CommonOptions {
  std::string preset;
  engine::SeekingOptions seek;
  std::uint64_t history_mb = 0;
};

int bench_seek(const Options& options) {
  const auto model = open_model_or_preset(options, options.preset, "bench seek");
  if (!model) return report(model.error());
  engine::SessionOptions session;
  session.backend = backend_options(options);
  session.seed = options.seed;
  if (options.history_mb > 0) session.history_budget_bytes = options.history_mb << 20U;
  const auto opened = engine::Session::open(*model, session);
  if (!opened) return report(opened.error());
  engine::SeekingOptions seek = options.seek;
  seek.seed = options.seed;
  std::optional<Progress> progress(fmt::format("{}: stepping and seeking", (*model)->name));
  const auto found = engine::measure_seeking(**opened, seek, [&](double done) { progress->show(done); });
  progress.reset();
  if (!found) return report(found.error());
  const profiler::Spread spread = profiler::spread_of(found->seeks_ms);
  const double worst = *std::max_element(found->seeks_ms.begin(), found->seeks_ms.end());
  const auto snapshot = (*opened)->snapshot();
  if (options.json) {
    print_json({{"model", (*model)->name},
                {"device", snapshot->backend.device},
                {"backend", snapshot->backend.name},
                {"variant", snapshot->plan->variant},
                {"tokens", seek.tokens},
                {"prefilled", found->prefilled},
                {"tokens_per_s", found->tokens_per_second},
                {"seeks", seek.seeks},
                {"seek_ms", {{"median", spread.median}, {"p95", spread.p95}, {"worst", worst}}},
                {"same_bits", found->same_bits},
                {"history_bytes", found->history_bytes},
                {"history_budget_bytes", found->history_budget_bytes},
                {"states_dropped", found->states_dropped}});
  } else {
    fmt::print(
        "{}, {}, {}: {} tokens, {} of them prefilled, the others stepped with their records, in {:.3g} s ({:.0f} "
        "tokens/s); history {:.0f} of {:.0f} MB\n",
        (*model)->name, snapshot->backend.device, snapshot->plan->variant, seek.tokens, found->prefilled,
        seek.tokens / found->tokens_per_second, found->tokens_per_second,
        static_cast<double>(found->history_bytes) / 1e6, static_cast<double>(found->history_budget_bytes) / 1e6);
    fmt::print("{} seeks among them: median {:.1f} ms, 95 % below {:.1f}, worst {:.1f}; {}\n", seek.seeks,
               spread.median, spread.p95, worst,
               found->same_bits ? "each with the bits that it had" : "NOT the bits that they had");
  }
  return found->same_bits ? 0 : 1;
}

}  // namespace

CLI::App* add_bench_seek(CLI::App& bench, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      bench.add_subcommand("seek", "Measure how long a session takes to come back to a token that it has stepped");
  CLI::Option* model = add_model_option(*command, *options);
  add_preset_option(*command, options->preset, model);
  command->add_option("--tokens", options->seek.tokens, "Tokens that are stepped first")
      ->check(whole_number_in(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--seeks", options->seek.seeks, "Seeks to tokens among them, drawn with --seed")
      ->check(whole_number_in(1, 1 << 20))
      ->capture_default_str();
  command
      ->add_option("--step-last", options->seek.step_last,
                   "Give the tokens as a prompt, and prefill all but so many of them, as the window does; 0: step all")
      ->check(whole_number_in(0, 1 << 20))
      ->capture_default_str();
  command
      ->add_option("--history-mb", options->history_mb,
                   "Memory for the history, in MiB; default: 512, more where a state is large")
      ->type_name("MIB")
      ->check(whole_number_in(1, 1 << 20));
  add_backend_options(*command, *options);
  add_seed_option(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "A seek is over when the token's record is there, state and all. The exit code is 1 where a token came back with "
      "other bits.\n\n"
      "Examples:\n  mambascope bench seek parity\n"
      "  mambascope bench seek --preset siso-1.5b --backend cuda --tokens 2000 --seeks 60");
  command->callback([options, &action] { action = [options] { return bench_seek(*options); }; });
  return command;
}

}  // namespace app
