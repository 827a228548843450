#include "app/commands/bench_kernel.h"

#include "app/commands/bench_report.h"
#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "app/commands/progress.h"
#include "engine/base/quote.h"
#include "engine/bench/kernel_bench.h"
#include "profiler/report/statistics.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace app {

namespace {

using engine::CacheState;
using nlohmann::ordered_json;

struct Options : CommonOptions {
  std::vector<std::string> names;
  std::vector<int> batches = {1}, ranks = {1};
  std::string weights = "bf16", l2 = "cold", csv;
  engine::KernelBenchOptions bench;
};

struct Row {
  int rank = 1;
  CacheState cache = CacheState::cold;
  engine::KernelBench bench;
  double min = 0, median = 0, p95 = 0;  // us; 0 where it was not verified

  double bytes_per_second() const { return median > 0 ? 1e6 * static_cast<double>(bench.cost.bytes()) / median : 0; }
  double fraction_of_copy() const {
    return bench.copy_bytes_per_second > 0 ? bytes_per_second() / bench.copy_bytes_per_second : 0;
  }
  double flops_per_second() const { return median > 0 ? 1e6 * static_cast<double>(bench.cost.flops) / median : 0; }
};

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  names.reserve(engine::stage_kind_count);
  for (int i = 0; i < engine::stage_kind_count; ++i) names.emplace_back(name_of(static_cast<engine::StageKind>(i)));
  return names;
}

engine::Result<void> time_all(const Options& options, std::vector<Row>& rows) {
  engine::KernelBenchOptions bench = options.bench;
  bench.seed = options.seed;
  bench.shape.weights = options.weights == "fp32" ? kernels::DType::f32 : kernels::DType::bf16;
  for (const std::string& name : options.names) {
    const auto kind = engine::stage_kind(name);
    if (!kind) {
      return engine::input_error(fmt::format("There is no kernel family {}. Families: {}.", engine::in_quotes(name),
                                             fmt::join(known_names(), ", ")));
    }
    bench.stages.push_back(*kind);
  }
  std::vector<CacheState> caches = {CacheState::warm, CacheState::cold};
  if (options.l2 != "both") caches = {options.l2 == "warm" ? CacheState::warm : CacheState::cold};
  for (const int rank : options.ranks) {
    for (const int batch : options.batches) {
      for (const CacheState cache : caches) {
        bench.shape.rank = rank;
        bench.cache = cache;
        bench.backend = backend_options(options, batch);
        std::optional<Progress> progress;
        auto timed = engine::run_kernel_bench(bench, [&](const char* what, double done) {
          progress.emplace(fmt::format("{}, rank {}, batch {}: {}", fmt::join(options.names, "+"), rank, batch, what));
          progress->show(done);
        });
        if (!timed) return tl::unexpected(timed.error());
        Row row{rank, cache, std::move(*timed)};
        if (row.bench.verified) {
          const profiler::Spread spread = profiler::spread_of(row.bench.microseconds);
          row.min = spread.min;
          row.median = spread.median;
          row.p95 = spread.p95;
        }
        rows.push_back(std::move(row));
      }
    }
  }
  return {};
}

ordered_json json_of(const Row& row, const Options& options) {
  const engine::KernelBench& bench = row.bench;
  const engine::KernelShape& shape = options.bench.shape;
  ordered_json object = {{"kernel", fmt::format("{}", fmt::join(options.names, "+"))},
                         {"device", bench.info.device},
                         {"variant", bench.variant},
                         {"batch", bench.batch},
                         {"rank", row.rank},
                         {"heads", shape.heads},
                         {"headdim", shape.headdim},
                         {"d_state", shape.d_state},
                         {"d_model", shape.d_model},
                         {"weights", options.weights},
                         {"state", bench.info.state},
                         {"us", nullptr},
                         {"bytes", bench.cost.bytes()},
                         {"flops", bench.cost.flops},
                         {"gbps", nullptr},
                         {"copy_gbps", nullptr},
                         {"fraction_of_copy", nullptr}};
  if (bench.verified) {
    object["us"] = {{"min", row.min}, {"median", row.median}, {"p95", row.p95}};
    object["gbps"] = row.bytes_per_second() / 1e9;
    object["copy_gbps"] = bench.copy_bytes_per_second / 1e9;
    object["fraction_of_copy"] = row.fraction_of_copy();
  }
  object["l2"] = name_of(row.cache);
  object["buffers"] = bench.layers;
  object["own_bytes"] = bench.own_bytes;
  object["fits_l2"] = bench.fits_l2();
  object["runs_a_sample"] = bench.rounds * bench.layers;
  if (bench.verified) object["clocks"] = clocks_json(bench.clocks);
  object["verified"] = bench.verified;
  object["verified_against"] = bench.twin;
  object["worst_difference"] = bench.before.worst;
  object["worst_at"] = bench.before.where;
  object["same_bits_after"] = bench.same_bits_after;
  return object;
}

void print_rows(const std::vector<Row>& rows, const Options& options) {
  const engine::KernelBench& first = rows.front().bench;
  const engine::KernelShape& shape = options.bench.shape;
  fmt::print("{} of the {} step on {}; H {}, P {}, N {}, d_model {}, weights {}, state {}\n",
             fmt::join(options.names, " + "), first.variant, first.info.device, shape.heads, shape.headdim,
             shape.d_state, shape.d_model, options.weights, first.info.state);
  fmt::print("{} samples{}; a model of that shape compared with the {} backend over {} tokens\n\n",
             options.bench.samples, first.info.is_gpu ? ", each one CUDA graph" : "", first.twin, first.before.tokens);
  fmt::print("{:>5} {:>6}  {:<5} {:>8}  {:>9}  {:>9}  {:>9}  {:>9}  {:>8}  {:>8}  {:>9}  {}\n", "rank", "batch", "L2",
             "buffers", "min us", "median us", "p95 us", "MB", "GB/s", "of copy", "GFLOP/s", "difference");
  for (const Row& row : rows) {
    const engine::KernelBench& bench = row.bench;
    fmt::print("{:>5} {:>6}  {:<5} {:>8}  ", row.rank, bench.batch, name_of(row.cache), bench.layers);
    if (!bench.verified) {
      fmt::print("not verified: {}\n",
                 bench.microseconds.empty() && !bench.before.pass(options.bench.rtol)
                     ? fmt::format("{} differs from the {} backend by {:.1e}, and {:.0e} is allowed",
                                   bench.before.where, bench.twin, bench.before.worst, options.bench.rtol)
                     : "the same tokens gave other bits after the timing");
      continue;
    }
    fmt::print("{:>9.3f}  {:>9.3f}  {:>9.3f}  {:>9.3f}  {:>8.1f}  {:>6.1f} %  {:>9.1f}  {:.1e}\n", row.min, row.median,
               row.p95, static_cast<double>(bench.cost.bytes()) / 1e6, row.bytes_per_second() / 1e9,
               100 * row.fraction_of_copy(), row.flops_per_second() / 1e9, bench.before.worst);
  }
  double copy = 0;
  for (const Row& row : rows) copy = std::max(copy, row.bench.copy_bytes_per_second);
  if (copy > 0) {
    fmt::print("\nof copy: beside the copy rate measured in the same run, {:.0f} GB/s with reads and writes counted.\n",
               copy / 1e9);
  }
  for (const Row& row : rows) {
    if (!row.bench.fits_l2()) continue;
    fmt::print("Rank {}, batch {}, {}: the weights and states that are gone through, {:.1f} MB, fit the L2.\n",
               row.rank, row.bench.batch, name_of(row.cache), static_cast<double>(row.bench.own_bytes) / 1e6);
  }
}

void write_rows(std::ostream& out, const std::vector<Row>& rows, const Options& options) {
  fmt::print(
      out,
      "kernel,variant,rank,batch,heads,headdim,d_state,d_model,weights,state,l2,buffers,verified,min_us,median_us,"
      "p95_us,bytes,flops,copy_gbps,worst_difference\n");
  const engine::KernelShape& shape = options.bench.shape;
  for (const Row& row : rows) {
    const engine::KernelBench& bench = row.bench;
    fmt::print(out, "{},{},{},{},{},{},{},{},{},{},{},{},{},", fmt::join(options.names, "+"), bench.variant, row.rank,
               bench.batch, shape.heads, shape.headdim, shape.d_state, shape.d_model, options.weights, bench.info.state,
               name_of(row.cache), bench.layers, bench.verified);
    if (bench.verified) {
      fmt::print(out, "{},{},{},", row.min, row.median, row.p95);
    } else {
      fmt::print(out, ",,,");
    }
    fmt::print(out, "{},{},{},{}\n", bench.cost.bytes(), bench.cost.flops, bench.copy_bytes_per_second / 1e9,
               bench.before.worst);
  }
}

int bench_kernel(const Options& options) {
  if (const auto writable = check_outputs({options.csv}); !writable) return report(writable.error());
  std::vector<Row> rows;
  const auto timed = time_all(options, rows);
  if (!rows.empty() && options.json) {
    ordered_json runs = ordered_json::array();
    for (const Row& row : rows) runs.push_back(json_of(row, options));
    print_json(rows.size() == 1 ? runs.front() : ordered_json{{"runs", runs}});
  } else if (!rows.empty()) {
    print_rows(rows, options);
  }
  if (!options.csv.empty() && !rows.empty()) {
    const auto written = write_output(options.csv, [&](std::ostream& out) { write_rows(out, rows, options); });
    if (!written) return report(written.error());
  }
  if (!timed) return report(timed.error());
  return std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.bench.verified; }) ? 0 : 1;
}

}  // namespace

CLI::App* add_bench_kernel(CLI::App& bench, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = bench.add_subcommand("kernel", "Measure one kernel family by itself; verified before and after");
  command
      ->add_option("NAME", options->names,
                   fmt::format("Stages of the step, timed together where there are several, with commas: {}",
                               fmt::join(known_names(), ", ")))
      ->delimiter(',')
      ->required();
  const auto numbers = [&](const char* name, std::vector<int>& out, int most, const char* help) {
    add_whole_numbers(*command, name, out, 1, most, help);
  };
  numbers("--rank", options->ranks, 8, "Ranks, 1 being SISO; several with commas: 1,2,4,8");
  numbers("--batch", options->batches, 65535, "Sequences; several with commas: 1,8,32,128");
  const auto size = [&](const char* name, int& out, const char* help) {
    command->add_option(name, out, help)->check(whole_number_in(1, 1 << 20))->capture_default_str();
  };
  size("--heads", options->bench.shape.heads, "Heads (H)");
  size("--headdim", options->bench.shape.headdim, "Values of a head (P)");
  size("--d-state", options->bench.shape.d_state, "State size (N)");
  size("--d-model", options->bench.shape.d_model, "Model width, for norms and products with a matrix");
  size("--samples", options->bench.samples, "Timed samples, each at least 100 runs");
  command->add_option("--weights", options->weights, "Type of the matrices")
      ->check(CLI::IsMember({"bf16", "fp32"}))
      ->capture_default_str();
  command
      ->add_option("--l2", options->l2,
                   "cold: weights and states of several layers in turn, more than a GPU's L2 where the family has any; "
                   "warm: one layer's again and again; both, each timed")
      ->check(CLI::IsMember({"warm", "cold", "both"}))
      ->capture_default_str();
  add_output_option(*command, "--csv", options->csv, "Write one line for each line of the table", "FILE.csv");
  add_backend_options(*command, *options);
  add_seed_option(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "Activations are shared by the layers, as in a step. GB/s counts the bytes that the stages must move by their "
      "shapes.\n\n"
      "Examples:\n  mambascope bench kernel state_update --rank 1,2,4,8 --batch 1,8,32,128\n"
      "  mambascope bench kernel rotate,state_update,readout --rank 4 --l2 both\n"
      "  mambascope bench kernel mixer --variant fused --rank 1,4\n"
      "  mambascope bench kernel in_proj --weights fp32 --json");
  command->callback([options, &action] { action = [options] { return bench_kernel(*options); }; });
  return command;
}

}  // namespace app
