#include "app/commands/profile_ranks.h"

#include "app/commands/preset_model.h"
#include "app/commands/progress.h"
#include "app/wiring/profile_rows.h"
#include "engine/model/presets.h"
#include "engine/model/random_weights.h"
#include "engine/verify/twin.h"

#include <fmt/format.h>

#include <algorithm>

namespace app {

namespace {

constexpr int verified_tokens = 3;
constexpr double tolerance = 2e-4;

bool of_recurrence(engine::StageKind kind) {
  using engine::StageKind;
  return kind == StageKind::state_update || kind == StageKind::readout || kind == StageKind::mixer;
}

engine::Result<void> verify(const ProfileOptions& options, const engine::Model& model, bool graph, RankRun& run) {
  const auto on_host = engine::draw_on_host(model.weights);
  if (!on_host) return tl::unexpected(on_host.error());
  engine::BackendOptions asked = backend_options(options, options.batch);
  asked.graph = graph;
  auto measured = engine::make_backend(model.weights, asked);
  if (!measured) return tl::unexpected(measured.error());
  engine::BackendOptions twin_options;
  twin_options.choice = (*measured)->info().is_gpu ? engine::BackendChoice::cpu : engine::BackendChoice::reference;
  auto twin = engine::make_backend(*on_host, twin_options);
  if (!twin) return tl::unexpected(twin.error());
  const auto compared = engine::compare_with_twin(**measured, **twin, model.config(), verified_tokens);
  if (!compared) return tl::unexpected(compared.error());
  run.twin = (*twin)->info().name;
  run.worst = compared->worst;
  run.rtol = tolerance;
  return {};
}

}  // namespace

double paper_intensity(const engine::ModelConfig& config) {
  const double n = config.d_state, p = config.headdim, r = config.rank();
  const double flops = config.is_mimo ? 4 * n * p * r + n * p - p * r : 5 * n * p - p;
  return flops / (2 * (1 + 2 * n * r + p * r + n * p));
}

double executed_intensity(const engine::StepPlan& plan) {
  double flops = 0, bytes = 0;
  for (const engine::Stage& stage : plan.stages) {
    if (!of_recurrence(stage.kind)) continue;
    flops += static_cast<double>(stage.cost.flops);
    bytes += static_cast<double>(stage.cost.bytes());
  }
  return bytes > 0 ? flops / bytes : 0;
}

engine::Result<std::vector<RankRun>> run_ranks(const ProfileOptions& options, const std::vector<int>& ranks) {
  const auto preset = engine::preset(options.preset);
  if (!preset) return tl::unexpected(preset.error());
  const bool graph = options.graph == "on";
  std::vector<RankRun> runs;
  for (const int rank : ranks) {
    Progress progress(fmt::format("{} at rank {}", options.preset, rank));
    progress.show(static_cast<double>(runs.size()) / static_cast<double>(ranks.size()));
    RankRun run;
    run.rank = rank;
    run.config = *preset;
    run.config.is_mimo = rank > 1;
    run.config.mimo_rank = rank;
    const auto model = random_model(options, fmt::format("{} at rank {}", options.preset, rank), run.config);
    if (!model) return tl::unexpected(model.error());
    run.parameters = (*model)->weights.parameters;
    if (auto done = verify(options, **model, graph, run); !done) return tl::unexpected(done.error());
    const auto ids = profiled_ids(options, **model);
    if (!ids) return tl::unexpected(ids.error());
    auto timed = run_profile(options, **model, *ids, graph, static_cast<std::uint16_t>(runs.size() + 1));
    if (!timed) return tl::unexpected(timed.error());
    if (timed->ended) return tl::unexpected(*timed->ended);
    run.result = std::move(timed->result);
    runs.push_back(std::move(run));
  }
  return runs;
}

std::vector<std::string> confounds(const std::vector<RankRun>& runs) {
  std::vector<std::string> out;
  const auto [fewest, most] = std::minmax_element(
      runs.begin(), runs.end(), [](const RankRun& a, const RankRun& b) { return a.parameters < b.parameters; });
  if (fewest != runs.end() && fewest->parameters != most->parameters) {
    out.push_back(
        fmt::format("Parameters differ: {} at rank {}, {} at rank {} ({:+.1f} %), because in_proj gives R keys "
                    "and R queries.",
                    fewest->parameters, fewest->rank, most->parameters, most->rank,
                    100.0 * (static_cast<double>(most->parameters) / static_cast<double>(fewest->parameters) - 1)));
    out.emplace_back("The MLP keeps its width; the released MIMO models narrow it to pay for their ranks.");
  }
  const bool has_siso = std::any_of(runs.begin(), runs.end(), [](const RankRun& run) { return run.rank == 1; });
  if (has_siso && runs.size() > 1) {
    out.emplace_back("Rank 1 is SISO: another pairing of the rotation, no ranks to weigh and to mix.");
  }
  if (!runs.empty()) {
    const ProfileResult& first = runs.front().result;
    out.emplace_back("Weights and tokens are random: no model of such a rank was trained with the others' recipe.");
    if (first.backend.graph && first.plan.variant == "fused") {
      out.emplace_back("Kernels of the graph overlap: a stage's time includes its waiting for the stage before it.");
    }
    if (first.status.source == profiler::TimeSource::cupti) {
      out.emplace_back("Wall times and gaps include what CUPTI's recording costs; the times of stages do not.");
    }
    if (first.backend.is_gpu && first.plan.batch < 32) {
      out.push_back(
          fmt::format("At batch {} most kernels last microseconds: their start and end count as much as what "
                      "they compute.",
                      first.plan.batch));
    }
  }
  return out;
}

}  // namespace app
