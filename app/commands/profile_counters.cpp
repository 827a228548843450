#include "app/commands/profile_counters.h"

#include "app/commands/progress.h"
#include "app/commands/second_process.h"
#include "app/wiring/grouped_counters.h"
#include "profiler/counters/live.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace app {

namespace {

using nlohmann::ordered_json;

constexpr double none = std::numeric_limits<double>::quiet_NaN();

ordered_json number(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(); }

// By how much a counted range is longer than the work in it, as the activity records have it.
std::string range_length_text(const StageCounters& counters, const ProfileResult& result) {
  std::string out =
      "                    a range holds the clocks, begins and ends by itself and stands alone: its time is not the "
      "stage's";
  std::vector<int> own(result.plan.stages.size());
  std::iota(own.begin(), own.end(), 0);
  const auto times = profiler::grouped(result.tokens, own, own.size(), profiler::clock_for(result.tokens));
  double longer = 0;
  int stages = 0;
  for (std::size_t id = 0; id < counters.values.size() && id < times.size(); ++id) {
    if (counters.values[id].size() != counters.metrics.size() || times[id].time_ns.count == 0) continue;
    const double ns = counter_value(counters, counters.values[id], "gpu__time_duration.sum");
    if (!std::isfinite(ns)) continue;
    longer += ns - times[id].time_ns.median;
    ++stages;
  }
  if (stages > 0 && result.status.source == profiler::TimeSource::cupti) {
    out += fmt::format(" but {:.1f} us longer on average, which makes the shares of the peaks of short stages too low",
                       longer / stages / 1e3);
  }
  return out + "\n                    what one stage writes may leave the L2 during another\n";
}

StageCounters not_on(const engine::BackendInfo& backend) {
  return no_counters(fmt::format("The {} backend has no hardware counters.", backend.name), "Use --backend cuda.");
}

}  // namespace

engine::Result<StageCounters> count_token(const ProfileOptions& options, const engine::Model& model) {
  const auto ids = profiled_ids(options, model);
  if (!ids) return tl::unexpected(ids.error());
  engine::BackendOptions asked = backend_options(options, options.batch);
  asked.errors = options.errors;
  auto backend = engine::make_backend(model.weights, asked);
  if (!backend) return tl::unexpected(backend.error());
  if (!(*backend)->info().is_gpu) return not_on((*backend)->info());
  const auto batch = static_cast<std::size_t>(options.batch);
  const std::size_t warm = static_cast<std::size_t>(options.warmup) * batch;
  for (std::size_t at = 0; at < warm; at += batch) {
    auto stepped = (*backend)->step({ids->data() + at, batch}, nullptr);
    if (!stepped) return tl::unexpected(stepped.error());
  }
  auto api = profiler::open_counters();
  if (!api) return no_counters(api.error().reason, api.error().remedy);
  Progress progress("counting");
  progress.show(0);
  auto session = profiler::CounterSession::start(std::move(*api), counted_metrics(), (*backend)->plan().stages.size());
  if (!session) return no_counters(session.error().reason, session.error().remedy);
  return count_stages(**backend, {ids->data() + warm, batch}, model.config().n_layer,
                      static_cast<std::size_t>(model.config().padded_vocab()), *session,
                      [&](double done) { progress.show(done); });
}

StageCounters count_in_second_process(const ProfileOptions& options, const ProfileResult& with) {
  if (!with.backend.is_gpu) return not_on(with.backend);
  std::vector<std::string> arguments = {"profile", "--counters-only"};
  for (std::string& word : same_step_arguments(options, with)) arguments.push_back(std::move(word));
  const auto printed = run_this_program(arguments);
  if (!printed) return no_counters(printed.error().message, "Its message on standard error says more.");
  return counters_from(*printed);
}

ordered_json counters_report_json(const StageCounters& counters, const ProfileResult& result) {
  ordered_json out = counters_json(counters);
  if (!counters.why.reason.empty()) return out;
  ordered_json kinds = ordered_json::array();
  for (const GroupCounters& kind : grouped_counters(counters, result.plan, ProfileRows::kinds)) {
    const double bytes = kind.memory_bytes(counters);
    ordered_json row = {{"kind", kind.group.name},
                        {"stages", kind.group.stages},
                        {"counted", kind.counted},
                        {"plan_bytes", kind.plan_bytes},
                        {"memory_bytes", number(bytes)},
                        {"memory_over_plan",
                         kind.plan_bytes > 0 ? number(bytes / static_cast<double>(kind.plan_bytes)) : ordered_json()}};
    for (std::size_t m = 0; m < counters.metrics.size(); ++m) row[counters.metrics[m]] = number(kind.values[m]);
    kinds.push_back(std::move(row));
  }
  out["kinds"] = kinds;
  return out;
}

std::string counters_text(const StageCounters& counters, const ProfileResult& result) {
  if (!counters.why.reason.empty()) {
    return fmt::format("counters            not available: {} {}\n", counters.why.reason, counters.why.remedy);
  }
  std::string out =
      fmt::format("\n  {:<14} {:>6} {:>13} {:>13} {:>8} {:>13} {:>8} {:>8} {:>8} {:>10}\n", "counters", "stages",
                  "plan bytes", "memory bytes", "of plan", "L2 bytes", "mem %", "SM %", "warps %", "us");
  double plan = 0, memory = 0;
  const auto cell = [](double value, const char* format) {
    return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : std::string("-");
  };
  for (const GroupCounters& kind : grouped_counters(counters, result.plan, ProfileRows::kinds)) {
    const double bytes = kind.memory_bytes(counters);
    plan += static_cast<double>(kind.plan_bytes);
    memory += bytes;
    const auto value = [&](const char* metric) { return kind.value(counters, metric); };
    out += fmt::format("  {:<14} {:>6} {:>13} {:>13} {:>8} {:>13} {:>8} {:>8} {:>8} {:>10}\n", kind.group.name,
                       kind.counted, kind.plan_bytes, cell(bytes, "{:.0f}"),
                       cell(kind.plan_bytes > 0 ? bytes / static_cast<double>(kind.plan_bytes) : none, "{:.3f}"),
                       cell(value("lts__t_bytes.sum"), "{:.0f}"),
                       cell(value("dram__throughput.avg.pct_of_peak_sustained_elapsed"), "{:.1f}"),
                       cell(value("sm__throughput.avg.pct_of_peak_sustained_elapsed"), "{:.1f}"),
                       cell(value("sm__warps_active.avg.pct_of_peak_sustained_active"), "{:.1f}"),
                       cell(value("gpu__time_duration.sum") / 1e3, "{:.2f}"));
  }
  out += fmt::format(
      "counters            one token, kernel by kernel, {} passes in {:.2f} s on {} ({}); memory bytes are {:.3f} of "
      "the "
      "plan's; the state was restored before each pass, and {}\n",
      counters.passes, counters.seconds, counters.chip, counters.library, plan > 0 ? memory / plan : 0.0,
      counters.same_bits ? "every pass left the same bits" : "the passes did NOT leave the same bits");
  out += range_length_text(counters, result);
  if (counters.dropped > 0) out += fmt::format("                    {} stages were not counted\n", counters.dropped);
  if (!counters.missing.empty()) {
    out += fmt::format("                    not on this chip: {}\n", fmt::join(counters.missing, ", "));
  }
  return out;
}

}  // namespace app
