#include "app/commands/profile_ranks.h"

#include "app/commands/preset_model.h"
#include "app/commands/progress.h"
#include "app/wiring/profile_rows.h"
#include "engine/bench/clocks.h"
#include "engine/model/presets.h"
#include "engine/model/random_weights.h"
#include "engine/verify/twin.h"

#include <fmt/format.h>

#include <algorithm>

namespace app {

namespace {

constexpr int verified_tokens = 3;
constexpr double tolerance = 2e-4;

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

// The shape whose rank is changed, and its name.
engine::Result<engine::ModelConfig> shape_of_family(const ProfileOptions& options, std::string& name) {
  if (!options.preset.empty()) {
    name = options.preset;
    return engine::preset(options.preset);
  }
  if (options.model.empty()) return engine::input_error("--ranks needs a MODEL or a --preset, whose shape it changes.");
  const auto model = load_model(options);
  if (!model) return tl::unexpected(model.error());
  engine::ModelConfig config = (*model)->config();
  config.lambda_override = engine::ModelConfig{}.lambda_override;
  name = (*model)->name;
  return config;
}

}  // namespace

engine::Result<RankFamily> run_ranks(const ProfileOptions& options, const std::vector<int>& ranks) {
  RankFamily family;
  auto shape = shape_of_family(options, family.shape);
  if (!shape) return tl::unexpected(shape.error());
  const bool graph = options.graph == "on";
  std::vector<int> rising = ranks;
  std::sort(rising.begin(), rising.end());
  rising.erase(std::unique(rising.begin(), rising.end()), rising.end());
  Progress progress(fmt::format("{} at {} ranks", family.shape, rising.size()));
  const auto done = [&](double share_of_rank) {
    progress.show((static_cast<double>(family.runs.size()) + share_of_rank) / static_cast<double>(rising.size()));
  };
  done(0);
  for (const int rank : rising) {
    RankRun run;
    run.rank = rank;
    run.config = *shape;
    run.config.is_mimo = rank > 1;
    run.config.mimo_rank = rank;
    const auto model = random_model(options, fmt::format("{} at rank {}", family.shape, rank), run.config);
    if (!model) return tl::unexpected(model.error());
    run.parameters = (*model)->weights.parameters;
    done(0.1);
    if (auto good = verify(options, **model, graph, run); !good) return tl::unexpected(good.error());
    done(0.5);
    const auto ids = profiled_ids(options, **model);
    if (!ids) return tl::unexpected(ids.error());
    auto timed = run_profile(options, **model, *ids, graph, static_cast<std::uint16_t>(family.runs.size() + 1));
    if (!timed) return tl::unexpected(timed.error());
    if (timed->ended) return tl::unexpected(*timed->ended);
    run.result = std::move(timed->result);
    family.runs.push_back(std::move(run));
    done(0);
  }
  // Of the device, which is the same for all.
  if (family.runs.front().result.status.source != profiler::TimeSource::none) {
    if (const auto rate = engine::measure_copy_rate(family.runs.front().result.backend))
      for (RankRun& run : family.runs) run.result.copy_bytes_per_second = *rate;
  }
  return family;
}

}  // namespace app
