#include "app/commands/profile_accounting.h"

#include "profiler/report/span.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <functional>

namespace app {

namespace {

using nlohmann::ordered_json;
using profiler::SpanMeans;

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

// Bytes that the plan needs, per second in which work ran.
double rate_of(const ProfileResult& result, const SpanMeans& means) {
  return share(static_cast<double>(result.plan.total().bytes()), means.busy) * 1e9;
}

bool timed(const ProfileResult& result) {
  return result.status.source != profiler::TimeSource::none && !result.tokens.empty();
}

const char* launched_as(const ProfileResult& result) {
  return result.backend.graph ? "as one CUDA graph" : result.backend.is_gpu ? "kernel by kernel" : "stage by stage";
}

bool in_l2(const ProfileResult& result) {
  const auto batch = static_cast<std::size_t>(result.plan.batch);
  return result.backend.is_gpu &&
         result.backend.weight_bytes + batch * result.backend.state_bytes <= result.backend.l2_bytes;
}

std::string bound_text(const ProfileResult& result, const SpanMeans& means, const CopyRate& copy) {
  const double idle = share(means.before + means.gaps + means.after, means.wall);
  if (copy.bytes_per_second <= 0) {
    return fmt::format("bound                not judged: the copy rate was not measured ({})\n", copy.problem);
  }
  const profiler::Bound bound =
      profiler::bound_of(means, static_cast<double>(result.plan.total().bytes()), copy.bytes_per_second);
  std::string out = fmt::format(
      "bound               {}: host and gaps are {:.0f} % of the wall time (launch-bound above {:.0f} %); while work "
      "runs, the plan's bytes come at {:.1f} GB/s, {:.0f} % of the measured copy rate of {:.1f} (bandwidth-bound above "
      "{:.0f} %)\n",
      name_of(bound), 100 * idle, 100 * profiler::launch_share, rate_of(result, means) / 1e9,
      100 * share(rate_of(result, means), copy.bytes_per_second), copy.bytes_per_second / 1e9,
      100 * profiler::bandwidth_share);
  if (in_l2(result))
    out += "                    weights and state fit the L2, so most bytes need not come from memory\n";
  return out;
}

std::string queued_text(const QueuedTime& queued) {
  if (queued.us <= 0) return "";
  std::string out = fmt::format(
      "queued              {:.1f} us a token where each is queued before the one before it ends", queued.us);
  if (queued.without_cupti_us <= 0) return out + "\n";
  return out + fmt::format("; {:.1f} in a second process without CUPTI, which costs {:+.1f} % of that\n",
                           queued.without_cupti_us, 100 * (queued.us / queued.without_cupti_us - 1));
}

// Rows of the table of both runs: what a token's wall time is made of, beside the stages.
struct Part {
  const char* name;
  std::function<double(const SpanMeans&)> of;
};
const std::array<Part, 6>& parts() {
  static const std::array<Part, 6> all = {{{"host before", [](const SpanMeans& m) { return m.before; }},
                                           {"work (union)", [](const SpanMeans& m) { return m.busy; }},
                                           {"overlap in it", [](const SpanMeans& m) { return m.overlap; }},
                                           {"gaps", [](const SpanMeans& m) { return m.gaps; }},
                                           {"host after", [](const SpanMeans& m) { return m.after; }},
                                           {"wall", [](const SpanMeans& m) { return m.wall; }}}};
  return all;
}

struct KindTimes {
  std::string kind;
  int stages = 0;
  double eager_us = 0, graph_us = 0;
};

// Both runs have the same plan.
std::vector<KindTimes> by_kind(const ProfileResult& eager, const ProfileResult& graph) {
  std::vector<int> group_of_stage;
  std::vector<KindTimes> rows;
  std::array<int, engine::stage_kind_count> group_of_kind{};
  group_of_kind.fill(-1);
  for (const engine::Stage& stage : eager.plan.stages) {
    int& group = group_of_kind[static_cast<std::size_t>(stage.kind)];
    if (group < 0) {
      group = static_cast<int>(rows.size());
      rows.push_back({engine::name_of(stage.kind), 0, 0, 0});
    }
    ++rows[static_cast<std::size_t>(group)].stages;
    group_of_stage.push_back(group);
  }
  const auto of_eager = profiler::grouped(eager.tokens, group_of_stage, rows.size());
  const auto of_graph = profiler::grouped(graph.tokens, group_of_stage, rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].eager_us = of_eager[i].time_ns.median / 1e3;
    rows[i].graph_us = of_graph[i].time_ns.median / 1e3;
  }
  return rows;
}

}  // namespace

ordered_json accounting_json(const ProfileResult& result, const CopyRate& copy, const QueuedTime& queued) {
  const SpanMeans means = profiler::span_means(result.tokens);
  ordered_json out = {{"launched", launched_as(result)}, {"wall_us", means.wall / 1e3}};
  if (queued.us > 0) out["queued_us"] = queued.us;
  if (queued.without_cupti_us > 0) out["queued_us_without_cupti"] = queued.without_cupti_us;
  if (!timed(result)) return out;
  out["host_before_us"] = means.before / 1e3;
  out["device_span_us"] = (means.busy + means.gaps) / 1e3;
  out["work_us"] = means.busy / 1e3;
  out["overlap_us"] = means.overlap / 1e3;
  out["gaps_us"] = means.gaps / 1e3;
  out["host_after_us"] = means.after / 1e3;
  out["pieces"] = means.pieces;
  out["bytes_per_s_of_work"] = rate_of(result, means);
  out["fits_l2"] = in_l2(result);
  if (copy.bytes_per_second > 0) {
    out["copy_bytes_per_s"] = copy.bytes_per_second;
    out["bound"] =
        name_of(profiler::bound_of(means, static_cast<double>(result.plan.total().bytes()), copy.bytes_per_second));
  } else {
    out["copy_bytes_per_s"] = nullptr;
    out["bound"] = nullptr;
    out["why_no_copy_rate"] = copy.problem;
  }
  out["launch_bound_above"] = profiler::launch_share;
  out["bandwidth_bound_above"] = profiler::bandwidth_share;
  return out;
}

std::string accounting_text(const ProfileResult& result, const CopyRate& copy, const QueuedTime& queued) {
  if (!timed(result)) return queued_text(queued);
  const SpanMeans means = profiler::span_means(result.tokens);
  return fmt::format(
             "wall time           {:.1f} us on average, {}: {:.1f} host before the first piece of work + {:.1f} until "
             "the last "
             "ended ({:.1f} work, of which {:.1f} at once with other work, and {:.1f} gaps) + {:.1f} host after it\n",
             means.wall / 1e3, launched_as(result), means.before / 1e3, (means.busy + means.gaps) / 1e3,
             means.busy / 1e3, means.overlap / 1e3, means.gaps / 1e3, means.after / 1e3) +
         queued_text(queued) + bound_text(result, means, copy);
}

ordered_json eager_and_graph_json(const ProfileResult& eager, const ProfileResult& graph) {
  ordered_json kinds = ordered_json::array(), around = ordered_json::array();
  for (const KindTimes& row : by_kind(eager, graph)) {
    kinds.push_back(
        {{"kind", row.kind}, {"stages", row.stages}, {"eager_us", row.eager_us}, {"graph_us", row.graph_us}});
  }
  const SpanMeans of_eager = profiler::span_means(eager.tokens), of_graph = profiler::span_means(graph.tokens);
  for (const Part& part : parts()) {
    around.push_back(
        {{"part", part.name}, {"eager_us", part.of(of_eager) / 1e3}, {"graph_us", part.of(of_graph) / 1e3}});
  }
  return {{"kinds", kinds}, {"parts", around}};
}

std::string eager_and_graph_text(const ProfileResult& eager, const ProfileResult& graph) {
  std::string out = fmt::format("\n  {:<20} {:>6} {:>12} {:>12} {:>12}\n", "the same tokens", "stages", "eager us",
                                "graph us", "difference");
  const auto line = [&](const std::string& name, const std::string& stages, double a, double b) {
    out += fmt::format("  {:<20} {:>6} {:>12.2f} {:>12.2f} {:>+12.2f}\n", name, stages, a, b, b - a);
  };
  for (const KindTimes& row : by_kind(eager, graph)) {
    line(row.kind, std::to_string(row.stages), row.eager_us, row.graph_us);
  }
  out += "  (medians above, means below)\n";
  const SpanMeans of_eager = profiler::span_means(eager.tokens), of_graph = profiler::span_means(graph.tokens);
  for (const Part& part : parts()) line(part.name, "", part.of(of_eager) / 1e3, part.of(of_graph) / 1e3);
  if (eager.plan.variant == "fused" && graph.backend.is_gpu) {
    out += "  A fused stage of the graph may begin while the one before it ends: its time includes that waiting.\n";
  }
  return out;
}

}  // namespace app
