// mambascope bench: how fast a step is, verified before and after, beside the copy rate of the same run.
#include "engine/bench/bench.h"

#include "app/commands/command_line.h"
#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "app/commands/preset_model.h"
#include "app/commands/progress.h"
#include "app/commands/text.h"
#include "engine/model/random_weights.h"
#include "profiler/report/statistics.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace app {

namespace {

struct Options : CommonOptions {
  std::string preset, csv;
  std::vector<int> batches = {1};
  std::string graph = "on";
  engine::BenchOptions bench;
};

// One batch's figures; times are 0 where the run was not verified.
struct Row {
  engine::Bench bench;
  double min = 0, median = 0, p95 = 0;  // ms
  double tokens_per_second = 0, bytes_per_second = 0;
};

Row row_of(engine::Bench bench) {
  Row row;
  if (bench.verified) {
    const profiler::Spread spread = profiler::spread_of(bench.milliseconds);
    row.min = spread.min;
    row.median = spread.median;
    row.p95 = spread.p95;
    row.tokens_per_second = 1e3 * bench.batch / row.median;
    row.bytes_per_second = 1e3 * static_cast<double>(bench.bytes_per_step) / row.median;
  }
  row.bench = std::move(bench);
  return row;
}

nlohmann::ordered_json json_of(const Row& row, const engine::Model& model, const Options& options) {
  const engine::Bench& bench = row.bench;
  nlohmann::ordered_json object;
  object[options.preset.empty() ? "model" : "preset"] = options.preset.empty() ? model.name : options.preset;
  object["device"] = bench.info.device;
  object["backend"] = bench.info.name;
  object["batch"] = bench.batch;
  object["rank"] = model.config().rank();
  object["variant"] = bench.variant;
  object["products"] = bench.info.products;
  object["graph"] = bench.info.graph;
  object["weights"] = kernels::name_of(model.weights.layers.front().in_proj.dtype);
  object["state"] = "fp32";
  object["ms_per_token"] = nullptr;
  object["tokens_per_s"] = nullptr;
  object["bytes_per_token"] = bench.bytes_per_step;
  object["copy_gbps"] = nullptr;
  object["fraction_of_copy"] = nullptr;
  if (bench.verified) {
    object["ms_per_token"] = {{"min", row.min}, {"median", row.median}, {"p95", row.p95}};
    object["tokens_per_s"] = row.tokens_per_second;
    object["copy_gbps"] = bench.copy_bytes_per_second / 1e9;
    object["fraction_of_copy"] = row.bytes_per_second / bench.copy_bytes_per_second;
  }
  object["steps"] = options.bench.steps;
  object["warmup"] = options.bench.warmup;
  object["first_token_ms"] = bench.first_token_ms;
  object["verified"] = bench.verified;
  object["verified_against"] = bench.twin;
  object["worst_difference"] = bench.before.worst;
  object["worst_at"] = bench.before.where;
  object["same_bits_after"] = bench.same_bits_after;
  return object;
}

std::string line_of(const Row& row) {
  const engine::Bench& bench = row.bench;
  if (!bench.verified) {
    return fmt::format(
        "{:>6}  not verified: {}\n", bench.batch,
        bench.milliseconds.empty()
            ? fmt::format("{} differs from the {} backend by {:.1e}, and {:.0e} is allowed", bench.before.where,
                          bench.twin, bench.before.worst, engine::BenchOptions().rtol)
            : "the same tokens gave other bits after the timing");
  }
  return fmt::format("{:>6}  {:>9.4f}  {:>9.4f}  {:>9.4f}  {:>12}  {:>10.1f}  {:>8.1f}  {:>6.1f} %  {:.1e}\n",
                     bench.batch, row.min, row.median, row.p95,
                     grouped(static_cast<std::int64_t>(row.tokens_per_second)),
                     static_cast<double>(bench.bytes_per_step) / 1e6, row.bytes_per_second / 1e9,
                     100 * row.bytes_per_second / bench.copy_bytes_per_second, bench.before.worst);
}

void write_csv(std::ostream& out, const std::vector<Row>& rows) {
  fmt::print(out,
             "batch,variant,graph,verified,min_ms,median_ms,p95_ms,tokens_per_s,bytes_per_step,copy_gbps,"
             "worst_difference\n");
  for (const Row& row : rows) {
    const engine::Bench& bench = row.bench;
    fmt::print(out, "{},{},{},{},", bench.batch, bench.variant, bench.info.graph, bench.verified);
    if (bench.verified) {
      fmt::print(out, "{},{},{},{},", row.min, row.median, row.p95, row.tokens_per_second);
    } else {
      fmt::print(out, ",,,,");
    }
    fmt::print(out, "{},{},{}\n", bench.bytes_per_step, bench.copy_bytes_per_second / 1e9, bench.before.worst);
  }
}

void print_table(const std::vector<Row>& rows, const engine::Model& model, const Options& options) {
  const engine::Bench& first = rows.front().bench;
  fmt::print("{}, {}, {}{}; weights {}, state fp32{}\n", model.name, first.info.device, first.variant,
             first.info.graph    ? ", one CUDA graph"
             : first.info.is_gpu ? ", launched one by one"
                                 : "",
             kernels::name_of(model.weights.layers.front().in_proj.dtype), lambda_override_words(model));
  fmt::print(
      "{} steps after {} to warm up, each timed{}; first and last sequence compared with the {} backend over {} "
      "tokens\n\n",
      options.bench.steps, options.bench.warmup, first.info.is_gpu ? " on the device" : "", first.twin,
      first.before.tokens);
  fmt::print("{:>6}  {:>9}  {:>9}  {:>9}  {:>12}  {:>10}  {:>8}  {:>8}  {}\n", "batch", "min ms", "median ms", "p95 ms",
             "tokens/s", "MB a step", "GB/s", "of copy", "difference");
  for (const Row& row : rows) fmt::print("{}", line_of(row));
  const auto best = std::max_element(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.bench.copy_bytes_per_second < b.bench.copy_bytes_per_second;
  });
  const bool above = std::any_of(rows.begin(), rows.end(), [](const Row& row) {
    return row.bench.verified && row.bytes_per_second > row.bench.copy_bytes_per_second;
  });
  if (best->bench.copy_bytes_per_second > 0) {
    fmt::print("\nof copy: beside the copy rate measured in the same run, {:.0f} GB/s with reads and writes counted.\n",
               best->bench.copy_bytes_per_second / 1e9);
    if (above) fmt::print("More than all of it: the step's memory stays in a cache.\n");
  }
}

int bench(Options options) {
  if (const auto writable = check_outputs({options.csv}); !writable) return report(writable.error());
  const auto model = open_model_or_preset(options, options.preset, "bench");
  if (!model) return report(model.error());
  const auto on_host = engine::draw_on_host((*model)->weights);
  if (!on_host) return report(on_host.error());
  std::vector<Row> rows;
  for (const int batch : options.batches) {
    const engine::Products products = options.bench.backend.products;
    options.bench.backend = backend_options(options, batch);
    options.bench.backend.products = products;
    options.bench.backend.graph = options.graph == "on";
    std::optional<Progress> progress;
    auto result = engine::run_bench((*model)->weights, *on_host, options.bench, [&](const char* what, double done) {
      progress.emplace(fmt::format("{}, batch {}: {}", (*model)->name, batch, what));
      progress->show(done);
    });
    progress.reset();
    if (!result) return report(result.error());
    rows.push_back(row_of(std::move(*result)));
  }
  if (!options.csv.empty()) {
    const auto written = write_output(options.csv, [&](std::ostream& out) { write_csv(out, rows); });
    if (!written) return report(written.error());
  }
  if (!options.json) {
    print_table(rows, **model, options);
  } else if (rows.size() == 1) {
    print_json(json_of(rows.front(), **model, options));
  } else {
    nlohmann::ordered_json runs = nlohmann::ordered_json::array();
    for (const Row& row : rows) runs.push_back(json_of(row, **model, options));
    print_json({{"runs", runs}});
  }
  return std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.bench.verified; }) ? 0 : 1;
}

}  // namespace

void add_bench(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("bench", "Measure how long a step takes; verified before and after");
  CLI::Option* model = add_model_option(*command, *options);
  add_preset_option(*command, options->preset, model);
  command->add_option("--batch", options->batches, "Sequences stepped together; several with commas: 1,8,32")
      ->delimiter(',')
      ->expected(1, 64)
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  command->add_option("--graph", options->graph, "On a GPU, launch the whole step as one CUDA graph: on or off")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--products",
          [options](const std::string& word) {
            options->bench.backend.products = word == "own"       ? engine::Products::own
                                              : word == "library" ? engine::Products::library
                                                                  : engine::Products::automatic;
          },
          "Matrix products of the fused variant: own kernels, library (cuBLASLt) or auto")
      ->check(CLI::IsMember({"auto", "own", "library"}))
      ->default_str("auto");
  command->add_option("--steps", options->bench.steps, "Steps that are timed")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--warmup", options->bench.warmup, "Steps before them that are not")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  add_output_option(*command, "--csv", options->csv, "Write one line for each batch", "FILE.csv");
  add_backend_options(*command, *options);
  add_seed_option(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "A run that does not verify gets no speed, and the exit code is 1. The time is that of one step: one token for "
      "each\n"
      "sequence of the batch.\n\n"
      "Examples:\n  mambascope bench parity --backend cpu\n  mambascope bench --preset siso-187m --batch 1,8,32 --csv "
      "times.csv\n  mambascope bench --preset mimo-1.5b --graph off --json");
  command->callback([options, &action] { action = [options] { return bench(*options); }; });
}

}  // namespace app
