#include "app/commands/profile_report.h"

#include "app/wiring/profile_rows.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace app {

namespace {

using nlohmann::ordered_json;

// A row of the report: some stages of the plan that are counted together.
struct Group {
  std::string name;
  int layer = -1;
  int stage = -1;
  int stages = 0;
  kernels::Cost cost;
};

struct Grouping {
  std::vector<Group> groups;
  std::vector<int> of_stage;
};

Grouping grouping(const engine::StepPlan& plan, ProfileRows rows) {
  Grouping out;
  std::map<int, std::size_t> places;
  for (const engine::Stage& stage : plan.stages) {
    const int key = rows == ProfileRows::kinds    ? static_cast<int>(stage.kind)
                    : rows == ProfileRows::layers ? stage.layer
                                                  : stage.id;
    const auto [place, fresh] = places.emplace(key, out.groups.size());
    if (fresh) {
      Group group;
      if (rows == ProfileRows::layers) {
        group.name = stage.layer < 0 ? "outside layers" : fmt::format("layer {}", stage.layer);
        group.layer = stage.layer;
      } else {
        group.name = engine::name_of(stage.kind);
      }
      if (rows == ProfileRows::stages) {
        group.layer = stage.layer;
        group.stage = stage.id;
      }
      out.groups.push_back(std::move(group));
    }
    Group& group = out.groups[place->second];
    ++group.stages;
    group.cost.bytes_read += stage.cost.bytes_read;
    group.cost.bytes_written += stage.cost.bytes_written;
    group.cost.flops += stage.cost.flops;
    out.of_stage.push_back(static_cast<int>(place->second));
  }
  return out;
}

double rate(const Group& group, const profiler::StageStatistics& time) {
  // bytes per ns are GB per s
  return time.time_ns.median > 0 ? static_cast<double>(group.cost.bytes()) / time.time_ns.median : 0;
}

ordered_json spread_json(const profiler::Spread& spread) {
  return {{"min", spread.min / 1e3},  {"p5", spread.p5 / 1e3},   {"median", spread.median / 1e3},
          {"p95", spread.p95 / 1e3},  {"max", spread.max / 1e3}, {"mad", spread.mad / 1e3},
          {"mean", spread.mean / 1e3}};
}

ordered_json rows_json(const ProfileResult& result, ProfileRows rows) {
  const Grouping grouped = grouping(result.plan, rows);
  const auto times = profiler::grouped(result.tokens, grouped.of_stage, grouped.groups.size());
  ordered_json out = ordered_json::array();
  for (std::size_t i = 0; i < times.size(); ++i) {
    const Group& group = grouped.groups[i];
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
    if (rows == ProfileRows::stages) {
      const std::string& kernel = result.kernels[static_cast<std::size_t>(group.stage)];
      row["kernel"] = kernel.empty() ? ordered_json() : ordered_json(kernel);
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::string row_text(const Group& group, const profiler::StageStatistics& time) {
  const std::string where = group.stage < 0    ? ""
                            : group.layer >= 0 ? fmt::format(" {}.{}", group.layer, group.stage)
                                               : fmt::format(" -.{}", group.stage);
  if (time.time_ns.count == 0) {
    return fmt::format("  {:<20} {:>6} {:>9} {:>10} {:>19} {:>12} {:>9} {:>7}\n", group.name + where, group.stages, "-",
                       "-", "-", group.cost.bytes(), "-", "-");
  }
  return fmt::format("  {:<20} {:>6} {:>9.1f} {:>10.2f} {:>9.2f} {:>9.2f} {:>12} {:>9.1f} {:>6.1f}%\n",
                     group.name + where, group.stages, time.pieces, time.time_ns.median / 1e3, time.time_ns.p5 / 1e3,
                     time.time_ns.p95 / 1e3, group.cost.bytes(), rate(group, time), 100 * time.share);
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
  ordered_json cost;
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
          {"variant", result.plan.variant},
          {"state", result.backend.state},
          {"batch", result.plan.batch},
          {"warmup", result.warmup},
          {"steps", result.tokens.size()},
          {"seed", result.seed},
          {"time_source", name_of(status.source)},
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
           {{"wall", spread_json(step.wall)},
            {"stages", spread_json(step.stages)},
            {"between_stages", spread_json(step.between)},
            {"overlap", spread_json(step.overlap)},
            {"gaps", spread_json(step.gaps)}}},
          {"bytes_per_step", result.plan.total().bytes()},
          {"cost_of_cupti", cost},
          {"kinds", rows_json(result, ProfileRows::kinds)},
          {"layers", rows_json(result, ProfileRows::layers)},
          {"stages", rows_json(result, ProfileRows::stages)}};
}

std::string profile_text(const ProfileResult& result, ProfileRows rows) {
  const profiler::ProfilerStatus& status = result.status;
  const profiler::StepStatistics step = profiler::statistics_of(result.tokens, 0).step;
  const bool timed = status.source != profiler::TimeSource::none;
  std::string out =
      fmt::format("{} on {} ({}, {}, state {}), {} steps after {} to warm up\n", result.model, result.backend.device,
                  result.backend.name, result.plan.variant, result.backend.state, result.tokens.size(), result.warmup);
  if (timed) {
    const Grouping groups = grouping(result.plan, rows);
    const auto times = profiler::grouped(result.tokens, groups.of_stage, groups.groups.size());
    out += fmt::format("\n  {:<20} {:>6} {:>9} {:>10} {:>9} {:>9} {:>12} {:>9} {:>7}\n", "per token", "stages",
                       "pieces", "median us", "p5", "p95", "bytes", "GB/s", "of step");
    for (std::size_t i = 0; i < times.size(); ++i) out += row_text(groups.groups[i], times[i]);
  }
  const kernels::Cost total = result.plan.total();
  out += fmt::format(
      "\nstep                {:.1f} us wall, median (p5 {:.1f}, p95 {:.1f}): {:.1f} tokens/s, {} bytes, {:.1f} GB/s\n",
      step.wall.median / 1e3, step.wall.p5 / 1e3, step.wall.p95 / 1e3,
      step.wall.median > 0 ? 1e9 / step.wall.median : 0.0, total.bytes(),
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
  if (result.cost) out += cost_text(*result.cost);
  return out;
}

}  // namespace app
