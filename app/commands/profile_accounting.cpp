#include "app/commands/profile_accounting.h"

#include "profiler/report/span.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
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
  return result.backend.l2_bytes > 0 &&  // a GPU's; a recording does not know it
         result.backend.weight_bytes + batch * result.backend.state_bytes <= result.backend.l2_bytes;
}

std::string bound_text(const ProfileResult& result, const SpanMeans& means, const CopyRate& copy) {
  const double idle = share(means.before + means.gaps + means.after, means.wall);
  if (copy.bytes_per_second <= 0) {
    return fmt::format("bound                not judged: the copy rate was not measured ({})\n", copy.problem);
  }
  const profiler::Bound bound =
      profiler::bound_of(means, static_cast<double>(result.plan.total().bytes()), copy.bytes_per_second);
  const bool cached = rate_of(result, means) > copy.bytes_per_second;
  std::string out = fmt::format(
      "bound               {}: host and gaps are {:.0f} % of the wall time (launch-bound above {:.0f} %); while work "
      "runs, the plan's bytes come at {:.1f} GB/s, {:.0f} % of the measured copy rate of {:.1f} ({})\n",
      name_of(bound), 100 * idle, 100 * profiler::launch_share, rate_of(result, means) / 1e9,
      100 * share(rate_of(result, means), copy.bytes_per_second), copy.bytes_per_second / 1e9,
      cached ? std::string("faster than memory copies, so most of them out of a cache")
             : fmt::format("bandwidth-bound above {:.0f} %", 100 * profiler::bandwidth_share));
  if (in_l2(result))
    out += "                    weights and state fit the L2, so most bytes need not come from memory\n";
  return out;
}

// Rows of the table of both runs: what a token's wall time is made of, beside the stages.
struct Part {
  const char* name;
  std::function<double(const SpanMeans&)> of;
};
const std::array<Part, 6>& parts() {
  static const std::array<Part, 6> all = {{{"before the work", [](const SpanMeans& m) { return m.before; }},
                                           {"work (union)", [](const SpanMeans& m) { return m.busy; }},
                                           {"overlap in it", [](const SpanMeans& m) { return m.overlap; }},
                                           {"gaps", [](const SpanMeans& m) { return m.gaps; }},
                                           {"after the work", [](const SpanMeans& m) { return m.after; }},
                                           {"wall", [](const SpanMeans& m) { return m.wall; }}}};
  return all;
}

// The plan's kinds of stages, in its order, and which of them each stage is of.
struct Kinds {
  std::vector<std::string> names;
  std::vector<int> stages;  // how many
  std::vector<int> of_stage;
};

Kinds kinds_of(const engine::StepPlan& plan) {
  Kinds kinds;
  std::array<int, engine::stage_kind_count> place{};
  place.fill(-1);
  for (const engine::Stage& stage : plan.stages) {
    int& at = place[static_cast<std::size_t>(stage.kind)];
    if (at < 0) {
      at = static_cast<int>(kinds.names.size());
      kinds.names.emplace_back(engine::name_of(stage.kind));
      kinds.stages.push_back(0);
    }
    ++kinds.stages[static_cast<std::size_t>(at)];
    kinds.of_stage.push_back(at);
  }
  return kinds;
}

struct KindTimes {
  std::string kind;
  int stages = 0;
  double eager_us = 0, graph_us = 0;
  double graph_adds_us = 0;
};

// Both runs have the same plan.
std::vector<KindTimes> by_kind(const ProfileResult& eager, const ProfileResult& graph) {
  const Kinds kinds = kinds_of(eager.plan);
  const auto of_eager = profiler::grouped(eager.tokens, kinds.of_stage, kinds.names.size());
  const auto of_graph = profiler::grouped(graph.tokens, kinds.of_stage, kinds.names.size());
  const auto adds = profiler::lengthening(graph.tokens, kinds.of_stage, kinds.names.size());
  std::vector<KindTimes> rows;
  for (std::size_t i = 0; i < kinds.names.size(); ++i) {
    rows.push_back({kinds.names[i], kinds.stages[i], of_eager[i].time_ns.median / 1e3, of_graph[i].time_ns.median / 1e3,
                    adds[i] / 1e3});
  }
  return rows;
}

// Where kernels overlap, their times do not add up; this does.
std::string lengthening_text(const ProfileResult& result, const SpanMeans& means) {
  if (means.overlap < 0.01 * means.busy) return "";
  const Kinds kinds = kinds_of(result.plan);
  const auto adds = profiler::lengthening(result.tokens, kinds.of_stage, kinds.names.size());
  std::string out = "work, waiting left out: ";
  for (std::size_t i = 0; i < kinds.names.size(); ++i) {
    out += fmt::format("{}{:.1f} {}", i > 0 ? " + " : "", adds[i] / 1e3, kinds.names[i]);
  }
  if (adds.back() > 0) out += fmt::format(" + {:.1f} of no stage", adds.back() / 1e3);
  return out + fmt::format(" = {:.1f} us: by how much each kind lengthens the work\n", means.busy / 1e3);
}

}  // namespace

ordered_json accounting_json(const ProfileResult& result, const CopyRate& copy) {
  const SpanMeans means = profiler::span_means(result.tokens);
  ordered_json out = {{"launched", launched_as(result)}, {"queued_ahead", result.ahead}, {"wall_us", means.wall / 1e3}};
  if (!timed(result)) return out;
  out["before_work_us"] = means.before / 1e3;
  out["device_span_us"] = (means.busy + means.gaps) / 1e3;
  out["work_us"] = means.busy / 1e3;
  out["overlap_us"] = means.overlap / 1e3;
  out["gaps_us"] = means.gaps / 1e3;
  out["after_work_us"] = means.after / 1e3;
  out["pieces"] = std::round(1e6 * means.pieces) / 1e6;
  const Kinds kinds = kinds_of(result.plan);
  const auto adds = profiler::lengthening(result.tokens, kinds.of_stage, kinds.names.size());
  for (std::size_t i = 0; i < kinds.names.size(); ++i) out["work_adds_us"][kinds.names[i]] = adds[i] / 1e3;
  out["work_adds_us"]["no stage"] = adds.back() / 1e3;
  out["bytes_per_s_of_work"] = rate_of(result, means);
  out["fits_l2"] = result.backend.l2_bytes > 0 ? ordered_json(in_l2(result)) : ordered_json();
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

std::string accounting_text(const ProfileResult& result, const CopyRate& copy) {
  if (!timed(result)) return "";
  const SpanMeans means = profiler::span_means(result.tokens);
  const std::string span = fmt::format(
      "{:.1f} from its first piece of work to the end of the last ({:.1f} work, of which {:.1f} at once with other "
      "work, and {:.1f} gaps)",
      (means.busy + means.gaps) / 1e3, means.busy / 1e3, means.overlap / 1e3, means.gaps / 1e3);
  const std::string queued = result.queued_words();
  const std::string parts =
      result.ahead
          ? fmt::format("{:.1f} from the end of the one before + {}", (means.before + means.after) / 1e3, span)
          : fmt::format("{:.1f} host before + {} + {:.1f} host after", means.before / 1e3, span, means.after / 1e3);
  return fmt::format("wall time           {:.1f} us on average, {}{}: {}\n", means.wall / 1e3, launched_as(result),
                     queued.empty() ? "" : ", " + queued, parts) +
         lengthening_text(result, means) + bound_text(result, means, copy);
}

ordered_json eager_and_graph_json(const ProfileResult& eager, const ProfileResult& graph) {
  ordered_json kinds = ordered_json::array(), around = ordered_json::array();
  for (const KindTimes& row : by_kind(eager, graph)) {
    kinds.push_back({{"kind", row.kind},
                     {"stages", row.stages},
                     {"eager_us", row.eager_us},
                     {"graph_us", row.graph_us},
                     {"graph_adds_us", row.graph_adds_us}});
  }
  const SpanMeans of_eager = profiler::span_means(eager.tokens), of_graph = profiler::span_means(graph.tokens);
  for (const Part& part : parts()) {
    around.push_back(
        {{"part", part.name}, {"eager_us", part.of(of_eager) / 1e3}, {"graph_us", part.of(of_graph) / 1e3}});
  }
  return {{"kinds", kinds}, {"parts", around}};
}

std::string eager_and_graph_text(const ProfileResult& eager, const ProfileResult& graph) {
  std::string out = fmt::format("\n  {:<20} {:>6} {:>12} {:>12} {:>12} {:>12}\n", "the same tokens", "stages",
                                "eager us", "graph us", "adds us", "difference");
  for (const KindTimes& row : by_kind(eager, graph)) {
    out += fmt::format("  {:<20} {:>6} {:>12.2f} {:>12.2f} {:>12.2f} {:>+12.2f}\n", row.kind, row.stages, row.eager_us,
                       row.graph_us, row.graph_adds_us, row.graph_adds_us - row.eager_us);
  }
  const SpanMeans of_eager = profiler::span_means(eager.tokens), of_graph = profiler::span_means(graph.tokens);
  for (const Part& part : parts()) {
    const double a = part.of(of_eager) / 1e3, b = part.of(of_graph) / 1e3;
    out += fmt::format("  {:<20} {:>6} {:>12.2f} {:>12.2f} {:>12} {:>+12.2f}\n", part.name, "", a, b, "", b - a);
  }
  out +=
      "  Medians for the kinds, means below them. A kernel of the graph may begin while the one before it runs and "
      "wait for\n"
      "  it: 'graph us' includes that; 'adds us' is by how much the kind lengthens the work, a mean that adds up to "
      "it, and\n"
      "  the difference is to that.\n";
  return out;
}

}  // namespace app
