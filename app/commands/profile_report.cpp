#include "app/commands/profile_report.h"

#include "app/wiring/profile_rows.h"
#include "profiler/report/distribution.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace app {

namespace {

using nlohmann::ordered_json;

double rate(const StageGroup& group, const profiler::StageStatistics& time) {
  // bytes per ns are GB per s
  return time.time_ns.median > 0 ? static_cast<double>(group.cost.bytes()) / time.time_ns.median : 0;
}

constexpr std::size_t histogram_bins = 32, outliers_listed = 6;

ordered_json spread_json(const profiler::Spread& spread) {
  return {{"min", spread.min / 1e3},       {"p5", spread.p5 / 1e3},   {"p25", spread.p25 / 1e3},
          {"median", spread.median / 1e3}, {"p75", spread.p75 / 1e3}, {"p95", spread.p95 / 1e3},
          {"p99", spread.p99 / 1e3},       {"max", spread.max / 1e3}, {"mad", spread.mad / 1e3},
          {"mean", spread.mean / 1e3}};
}

// The histogram and the outliers of some times, as fields of their row.
void add_distribution(ordered_json& row, const profiler::Series& series) {
  const profiler::Distribution all = profiler::distribution_of(series, histogram_bins);
  const profiler::Histogram& histogram = all.histogram;
  row["histogram"] = {{"low_us", histogram.low_ns / 1e3},
                      {"width_us", histogram.width_ns / 1e3},
                      {"counts", histogram.counts},
                      {"above", histogram.above}};
  const profiler::Outliers& outliers = all.outliers;
  row["outlier_limit_us"] = outliers.limit_ns / 1e3;
  row["outliers"] = ordered_json::array();
  for (const profiler::Outlier& outlier : outliers.found)
    row["outliers"].push_back({{"token", outlier.token}, {"us", outlier.time_ns / 1e3}, {"sigmas", outlier.sigmas}});
}

ordered_json rows_json(const ProfileResult& result, ProfileRows rows) {
  const Grouping grouped = grouping(result.plan, rows);
  const profiler::StageClock clock = profiler::clock_for(result.tokens);
  const auto times = profiler::grouped(result.tokens, grouped.of_stage, grouped.groups.size(), clock);
  const auto series = profiler::series_of(result.tokens, grouped.of_stage, grouped.groups.size(), clock);
  ordered_json out = ordered_json::array();
  for (std::size_t i = 0; i < times.size(); ++i) {
    const StageGroup& group = grouped.groups[i];
    ordered_json row;
    if (rows == ProfileRows::stages) row["stage"] = group.stage;
    if (rows != ProfileRows::layers) row["kind"] = group.name;
    if (rows != ProfileRows::kinds) row["layer"] = group.layer;
    if (rows != ProfileRows::stages) row["stages"] = group.stages;
    row["tokens"] = times[i].time_ns.count;
    row["pieces"] = times[i].pieces;
    row["us"] = times[i].time_ns.count > 0 ? spread_json(times[i].time_ns) : ordered_json();
    row["bytes"] = group.cost.bytes();
    row["flops"] = group.cost.flops;
    row["gb_per_s"] = times[i].time_ns.count > 0 ? ordered_json(rate(group, times[i])) : ordered_json();
    row["share_of_step"] = times[i].share;
    if (times[i].time_ns.count > 0) add_distribution(row, series[i]);
    if (rows == ProfileRows::stages) {
      const std::string& kernel = result.kernels[static_cast<std::size_t>(group.stage)];
      row["kernel"] = kernel.empty() ? ordered_json() : ordered_json(kernel);
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::string row_text(const StageGroup& group, const profiler::StageStatistics& time) {
  const std::string where = group.stage < 0    ? ""
                            : group.layer >= 0 ? fmt::format(" {}.{}", group.layer, group.stage)
                                               : fmt::format(" -.{}", group.stage);
  if (time.time_ns.count == 0) {
    return fmt::format("  {:<20} {:>6} {:>9} {:>10} {:>29} {:>12} {:>9} {:>7}\n", group.name + where, group.stages, "-",
                       "-", "-", group.cost.bytes(), "-", "-");
  }
  return fmt::format("  {:<20} {:>6} {:>9.1f} {:>10.2f} {:>9.2f} {:>9.2f} {:>9.2f} {:>12} {:>9.1f} {:>6.1f}%\n",
                     group.name + where, group.stages, time.pieces, time.time_ns.median / 1e3, time.time_ns.mad / 1e3,
                     time.time_ns.p5 / 1e3, time.time_ns.p95 / 1e3, group.cost.bytes(), rate(group, time),
                     100 * time.share);
}

// "step: 3 of 128 above 40.10 us: token 17 45.20 us (12 sigma), ...", or nothing.
std::string outliers_line(const std::string& name, const profiler::Series& series) {
  const profiler::Outliers outliers = profiler::outliers_of(series);
  if (outliers.found.empty()) return {};
  std::string out = fmt::format("                    {}: {} of {} above {:.2f} us:", name, outliers.found.size(),
                                series.tokens.size(), outliers.limit_ns / 1e3);
  for (std::size_t i = 0; i < std::min<std::size_t>(3, outliers.found.size()); ++i)
    out += fmt::format("{} token {} {:.2f} us ({:.0f} sigma)", i == 0 ? "" : ",", outliers.found[i].token,
                       outliers.found[i].time_ns / 1e3, outliers.found[i].sigmas);
  return out + (outliers.found.size() > 3 ? ", ...\n" : "\n");
}

std::string outliers_text(const ProfileResult& result, const Grouping& groups, profiler::StageClock clock) {
  const auto series = profiler::series_of(result.tokens, groups.of_stage, groups.groups.size(), clock);
  std::vector<std::string> lines = {outliers_line("step", profiler::wall_series(result.tokens))};
  for (std::size_t i = 0; i < series.size(); ++i)
    lines.push_back(outliers_line(full_name(groups.groups[i]), series[i]));
  lines.erase(std::remove(lines.begin(), lines.end(), std::string()), lines.end());
  std::string out = fmt::format(
      "outliers            tokens more than {:g} sigma above the median; sigma is 1.4826 MAD, at least "
      "1 % of the median and a tick of the clock{}\n",
      profiler::outlier_sigmas, lines.empty() ? ": none" : "");
  for (std::size_t i = 0; i < std::min(lines.size(), outliers_listed); ++i) out += lines[i];
  if (lines.size() > outliers_listed)
    out += fmt::format("                    and in {} more rows: --json lists them\n", lines.size() - outliers_listed);
  return out;
}

std::string cost_text(const ProfilingCost& cost) {
  if (!cost.problem.empty()) return fmt::format("cost of CUPTI       not measured: {}\n", cost.problem);
  return fmt::format(
      "cost of CUPTI       {:+.1f} % of a step's wall time: {:.1f} us with, {:.1f} us in a second process without\n",
      100 * (cost.wall_us_with / cost.wall_us_without - 1), cost.wall_us_with, cost.wall_us_without);
}

}  // namespace

ordered_json profile_json(const ProfileResult& result) {
  const profiler::StepStatistics step = profiler::statistics_of(result.tokens, 0).step;
  const profiler::ProfilerStatus& status = result.status;
  const auto text = [](const std::string& value) { return value.empty() ? ordered_json() : ordered_json(value); };
  ordered_json wall = spread_json(step.wall), cost;
  add_distribution(wall, profiler::wall_series(result.tokens));
  if (result.cost && result.cost->problem.empty()) {
    cost = {{"wall_us_with", result.cost->wall_us_with},
            {"wall_us_without", result.cost->wall_us_without},
            {"fraction", result.cost->wall_us_with / result.cost->wall_us_without - 1}};
  } else if (result.cost) {
    cost = {{"problem", result.cost->problem}};
  }
  return {{"model", result.model},
          {"backend", result.backend.name},
          {"device", result.backend.device},
          {"recorded", result.recording.empty() ? ordered_json()
                                                : ordered_json({{"name", result.recording},
                                                                {"recorded_at", result.recorded_at},
                                                                {"program", result.program}})},
          {"variant", result.plan.variant},
          {"graph", result.backend.graph},
          {"state", result.backend.state},
          {"batch", result.plan.batch},
          {"warmup", result.warmup},
          {"steps", result.tokens.size()},
          {"seed", result.seed},
          {"time_source", name_of(status.source)},
          {"stage_times", name_of(profiler::clock_for(result.tokens))},
          {"tier", status.tier},
          {"why_not_more", text(status.reason)},
          {"remedy", text(status.remedy)},
          {"cupti", {{"library", text(status.library)}, {"version", text(status.version)}}},
          {"records", status.records},
          {"records_dropped", status.dropped},
          {"records_invalid", status.invalid},
          {"records_outside_steps", status.untagged - std::min(status.untagged, status.unattributed)},
          {"records_unattributed", status.unattributed},
          {"clock_uncertainty_ns", status.clock_uncertainty_ns},
          {"step_us",
           {{"wall", wall},
            {"stages", spread_json(step.stages)},
            {"between_stages", spread_json(step.between)},
            {"overlap", spread_json(step.overlap)},
            {"gaps", spread_json(step.gaps)}}},
          {"bytes_per_step", result.plan.total().bytes()},
          {"copy_gbps",
           result.copy_bytes_per_second > 0 ? ordered_json(result.copy_bytes_per_second / 1e9) : ordered_json()},
          {"cost_of_cupti", cost},
          {"notes", notes_on(result.plan)},
          {"kinds", rows_json(result, ProfileRows::kinds)},
          {"layers", rows_json(result, ProfileRows::layers)},
          {"stages", rows_json(result, ProfileRows::stages)}};
}

std::string profile_text(const ProfileResult& result, ProfileRows rows) {
  const profiler::ProfilerStatus& status = result.status;
  const profiler::StepStatistics step = profiler::statistics_of(result.tokens, 0).step;
  const bool timed = status.source != profiler::TimeSource::none;
  const profiler::StageClock clock = profiler::clock_for(result.tokens);
  const bool waiting_out = clock == profiler::StageClock::waiting_out;
  std::string out = fmt::format("{} on {} ({}, {}, state {}, batch {}), {} steps after {} to warm up\n", result.model,
                                result.backend.device, result.backend.name, result.plan.variant, result.backend.state,
                                result.plan.batch, result.tokens.size(), result.warmup);
  if (!result.recording.empty())
    out += fmt::format("{}: {}, by {}\n", result.recording, result.recorded_words(), result.program);
  if (timed) {
    const Grouping groups = grouping(result.plan, rows);
    const auto times = profiler::grouped(result.tokens, groups.of_stage, groups.groups.size(), clock);
    out += fmt::format("\n  {:<20} {:>6} {:>9} {:>10} {:>9} {:>9} {:>9} {:>12} {:>9} {:>7}\n",
                       waiting_out ? "waiting left out" : "per token", "stages", "pieces", "median us", "mad", "p5",
                       "p95", "bytes", "GB/s", "of step");
    for (std::size_t i = 0; i < times.size(); ++i) out += row_text(groups.groups[i], times[i]);
    if (waiting_out)
      out +=
          "  kernels begin before the one in front of them ends, and wait: a row's time is by how much it lengthens "
          "the "
          "work\n";
    for (const std::string& note : notes_on(result.plan)) out += "  " + note + "\n";
  }
  const kernels::Cost total = result.plan.total();
  out += fmt::format(
      "\nstep                {:.1f} us wall, median (p5 {:.1f}, p95 {:.1f}): {:.1f} tokens/s, {} bytes, {:.1f} GB/s\n",
      step.wall.median / 1e3, step.wall.p5 / 1e3, step.wall.p95 / 1e3,
      step.wall.median > 0 ? result.plan.batch * 1e9 / step.wall.median : 0.0, total.bytes(),
      step.wall.median > 0 ? static_cast<double>(total.bytes()) / step.wall.median : 0.0);
  if (timed) {
    // Means, because only they add up.
    out += fmt::format(
        "on average          {:.1f} us = {:.1f} in stages + {:.1f} between stages - {:.1f} overlap + {:.1f} gaps in "
        "which "
        "nothing ran\n",
        step.wall.mean / 1e3, step.stages.mean / 1e3, step.between.mean / 1e3, step.overlap.mean / 1e3,
        step.gaps.mean / 1e3);
  }
  out += outliers_text(result, grouping(result.plan, rows), clock);
  out += fmt::format("source of times     {}\n",
                     status.source == profiler::TimeSource::cupti
                         ? fmt::format("CUPTI {} activity records ({})", status.version, status.library)
                     : timed ? "steady clock of the host, around each stage"
                             : "none for stages; the step's wall time is the host's steady clock");
  if (!status.reason.empty()) out += fmt::format("                    {} {}\n", status.reason, status.remedy);
  if (status.source == profiler::TimeSource::cupti) {
    out += fmt::format(
        "records             {}, {} dropped, {} invalid, {} outside of steps, {} in a step without a stage\n",
        status.records, status.dropped, status.invalid,
        status.untagged - std::min(status.untagged, status.unattributed), status.unattributed);
  }
  out += fmt::format("clock uncertainty   {} ns\n", status.clock_uncertainty_ns);
  if (result.copy_bytes_per_second > 0)
    out += fmt::format("copy rate           {:.0f} GB/s, read and written bytes counted\n",
                       result.copy_bytes_per_second / 1e9);
  if (result.cost) out += cost_text(*result.cost);
  return out;
}

}  // namespace app
