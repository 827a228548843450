// What `profile --ranks` prints and writes.
#include "app/commands/output_file.h"
#include "app/commands/profile_ranks.h"
#include "app/wiring/profile_rows.h"
#include "engine/base/quote.h"
#include "profiler/report/span.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ostream>

namespace app {

namespace {

using nlohmann::ordered_json;

// Of one kind of stage in one run: `stages` is 0 where its plan has none.
struct KindTime {
  engine::StageKind kind = engine::StageKind::embed;
  int stages = 0;
  kernels::Cost cost;
  profiler::Spread time_ns;
};

std::vector<KindTime> kinds_of(const ProfileResult& result, profiler::StageClock clock) {
  std::vector<KindTime> kinds(engine::stage_kind_count);
  std::vector<int> group_of_stage;
  for (const engine::Stage& stage : result.plan.stages) {
    const auto at = static_cast<std::size_t>(stage.kind);
    kinds[at].kind = stage.kind;
    ++kinds[at].stages;
    kinds[at].cost.bytes_read += stage.cost.bytes_read;
    kinds[at].cost.bytes_written += stage.cost.bytes_written;
    kinds[at].cost.flops += stage.cost.flops;
    group_of_stage.push_back(static_cast<int>(at));
  }
  const auto times = profiler::grouped(result.tokens, group_of_stage, kinds.size(), clock);
  for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i].time_ns = times[i].time_ns;
  return kinds;
}

// The kinds that any of the runs has, in the order of a plan that has most of them.
std::vector<engine::StageKind> order_of(const std::vector<RankRun>& runs) {
  std::vector<engine::StageKind> order;
  const auto richest = std::max_element(runs.begin(), runs.end(), [](const RankRun& a, const RankRun& b) {
    return a.result.plan.stages.size() < b.result.plan.stages.size();
  });
  if (richest == runs.end()) return order;
  for (const engine::Stage& stage : richest->result.plan.stages) {
    if (std::find(order.begin(), order.end(), stage.kind) == order.end()) order.push_back(stage.kind);
  }
  return order;
}

double intensity(const kernels::Cost& cost) {
  return cost.bytes() > 0 ? static_cast<double>(cost.flops) / static_cast<double>(cost.bytes()) : 0;
}

}  // namespace

ordered_json ranks_json(const std::vector<RankRun>& runs, const std::string& preset) {
  const auto order = order_of(runs);
  const profiler::StageClock clock = clock_for(runs);
  ordered_json rows = ordered_json::array();
  for (const RankRun& run : runs) {
    const auto kinds = kinds_of(run.result, clock);
    const profiler::SpanMeans means = profiler::span_means(run.result.tokens);
    ordered_json stages = ordered_json::array();
    for (const engine::StageKind kind : order) {
      const KindTime& time = kinds[static_cast<std::size_t>(kind)];
      if (time.stages == 0) continue;
      stages.push_back({{"kind", engine::name_of(kind)},
                        {"stages", time.stages},
                        {"us", time.time_ns.count > 0 ? ordered_json(time.time_ns.median / 1e3) : ordered_json()},
                        {"p5", time.time_ns.p5 / 1e3},
                        {"p95", time.time_ns.p95 / 1e3},
                        {"bytes", time.cost.bytes()},
                        {"flops", time.cost.flops},
                        {"flops_per_byte", intensity(time.cost)}});
    }
    rows.push_back({{"rank", run.rank},
                    {"siso", !run.config.is_mimo},
                    {"parameters", run.parameters},
                    {"verified", run.verified()},
                    {"verified_against", run.twin},
                    {"worst_difference", run.worst},
                    {"executed_flops_per_byte", executed_intensity(run.result.plan)},
                    {"paper_flops_per_byte", paper_intensity(run.config)},
                    {"tokens", run.result.tokens.size()},
                    {"wall_us", means.wall / 1e3},
                    {"work_us", means.busy / 1e3},
                    {"gaps_us", means.gaps / 1e3},
                    {"kinds", stages}});
  }
  ordered_json out = {{"preset", preset}, {"ranks", rows}, {"confounds", confounds(runs)}};
  if (runs.empty()) return out;
  const ProfileResult& first = runs.front().result;
  out["device"] = first.backend.device;
  out["backend"] = first.backend.name;
  out["variant"] = first.plan.variant;
  out["graph"] = first.backend.graph;
  out["queued_ahead"] = first.ahead;
  out["state"] = first.backend.state;
  out["batch"] = first.plan.batch;
  out["time_source"] = name_of(first.status.source);
  out["stage_times"] = name_of(clock);
  out["copy_gbps"] = first.copy_bytes_per_second > 0 ? ordered_json(first.copy_bytes_per_second / 1e9) : ordered_json();
  out["recorded"] = first.recording.empty() ? ordered_json() : ordered_json(first.recorded_at);
  return out;
}

std::string ranks_text(const std::vector<RankRun>& runs, const std::string& preset) {
  if (runs.empty()) return "";
  const ProfileResult& first = runs.front().result;
  std::string out = first.recording.empty() ? "" : first.recorded_words() + "\n";
  const std::string queued = first.queued_words();
  out += fmt::format("{} with random weights on {} ({}, {}{}, state {}, batch {}), {} tokens of each rank{}\n\n",
                     preset, first.backend.device, first.backend.name, first.plan.variant,
                     first.backend.graph ? ", one graph" : "", first.backend.state, first.plan.batch,
                     first.tokens.size(), queued.empty() ? "" : ", " + queued);
  const auto line = [&](const std::string& name, const auto& cell) {
    out += fmt::format("  {:<28}", name);
    for (const RankRun& run : runs) out += fmt::format(" {:>12}", cell(run));
    out += "\n";
  };
  const profiler::StageClock clock = clock_for(runs);
  line(clock == profiler::StageClock::waiting_out ? "median us, waiting left out" : "median us per token",
       [](const RankRun& run) { return fmt::format("R = {}", run.rank); });
  std::vector<std::vector<KindTime>> kinds;
  kinds.reserve(runs.size());
  for (const RankRun& run : runs) kinds.push_back(kinds_of(run.result, clock));
  for (const engine::StageKind kind : order_of(runs)) {
    line(engine::name_of(kind), [&](const RankRun& run) {
      const KindTime& time = kinds[static_cast<std::size_t>(&run - runs.data())][static_cast<std::size_t>(kind)];
      return time.time_ns.count > 0 ? fmt::format("{:.2f}", time.time_ns.median / 1e3) : std::string("-");
    });
  }
  const auto mean = [&](const char* name, double profiler::SpanMeans::*part) {
    line(name, [part](const RankRun& run) {
      return fmt::format("{:.2f}", profiler::span_means(run.result.tokens).*part / 1e3);
    });
  };
  mean("work (union), mean", &profiler::SpanMeans::busy);
  mean("gaps, mean", &profiler::SpanMeans::gaps);
  mean("wall, mean", &profiler::SpanMeans::wall);
  line("parameters", [](const RankRun& run) { return std::to_string(run.parameters); });
  line("bytes of a token", [](const RankRun& run) { return std::to_string(run.result.plan.total().bytes()); });
  line("recurrence, flops/byte",
       [](const RankRun& run) { return fmt::format("{:.2f}", executed_intensity(run.result.plan)); });
  line("the paper's count of it",
       [](const RankRun& run) { return fmt::format("{:.2f}", paper_intensity(run.config)); });
  line("verified", [](const RankRun& run) { return std::string(run.verified() ? "yes" : "NO"); });
  out += fmt::format(
      "\nThe recurrence is state_update and readout, or the mixer; executed are all its operations over all "
      "bytes that it reads and writes, state {}. The paper counts values of two bytes, the state once "
      "and not the previous token's term.\n",
      first.backend.state);
  out += "Not equal between the ranks, beside the rank:\n";
  for (const std::string& confound : confounds(runs)) out += "  - " + confound + "\n";
  return out;
}

void write_ranks_csv(std::ostream& out, const std::vector<RankRun>& runs) {
  out << "rank,kind,stages,us_median,us_p5,us_p95,bytes,flops,flops_per_byte,parameters,executed_flops_per_byte,"
         "paper_flops_per_byte,verified\n";
  const profiler::StageClock clock = clock_for(runs);
  for (const RankRun& run : runs) {
    const auto kinds = kinds_of(run.result, clock);
    for (const engine::StageKind kind : order_of(runs)) {
      const KindTime& time = kinds[static_cast<std::size_t>(kind)];
      if (time.stages == 0) continue;
      out << fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}\n", run.rank, engine::name_of(kind), time.stages,
                         time.time_ns.median / 1e3, time.time_ns.p5 / 1e3, time.time_ns.p95 / 1e3, time.cost.bytes(),
                         time.cost.flops, intensity(time.cost), run.parameters, executed_intensity(run.result.plan),
                         paper_intensity(run.config), run.verified() ? 1 : 0);
    }
  }
}

int keep_and_print(const RankFamily& family, const ProfileFiles& files, bool json) {
  if (!files.save.empty()) {
    const auto bytes = family_bytes(family);
    if (!bytes) return report(bytes.error());
    const auto written = write_output(files.save, [&](std::ostream& out) { out << *bytes; });
    if (!written) return report(written.error());
    fmt::print(stderr, "mambascope: wrote {}\n", engine::printable(files.save));
  }
  if (!files.csv.empty()) {
    const auto written = write_output(files.csv, [&](std::ostream& out) { write_ranks_csv(out, family.runs); });
    if (!written) return report(written.error());
  }
  if (json) {
    print_json(ranks_json(family.runs, family.shape));
  } else {
    fmt::print("{}", ranks_text(family.runs, family.shape));
  }
  return std::all_of(family.runs.begin(), family.runs.end(), [](const RankRun& run) { return run.verified(); }) ? 0 : 1;
}

}  // namespace app
