#include "engine/bench/kernel_bench.h"

#include "engine/bench/clocks.h"
#include "engine/model/random_weights.h"

#include <fmt/format.h>

#include <algorithm>

namespace engine {

namespace {

constexpr std::uint64_t well_within_l2 = std::uint64_t{16} << 20, far_beyond_l2 = std::uint64_t{256} << 20;
// Several layers take turns where they can, so that kernels overlap at their ends as in a step, and never on one state.
constexpr int several_layers = 4, most_layers = 128, without_own_bytes = 32;
constexpr int least_runs = 100;  // of one layer's stages in a sample

bool works_on_d_model(StageKind kind) {
  switch (kind) {
    case StageKind::coefficients:
    case StageKind::rotate:
    case StageKind::state_update:
    case StageKind::readout:
    case StageKind::mimo_mix:
    case StageKind::mixer:
      return false;
    default:
      return true;
  }
}

bool has(std::span<const StageKind> stages, std::initializer_list<StageKind> any) {
  return std::find_first_of(stages.begin(), stages.end(), any.begin(), any.end()) != stages.end();
}

int layers_for(CacheState cache, std::uint64_t own_of_one) {
  const auto layers = [&](std::uint64_t bytes, int least, int most) {
    const std::uint64_t enough = cache == CacheState::cold ? (bytes + own_of_one - 1) / own_of_one : bytes / own_of_one;
    return static_cast<int>(std::clamp(enough, static_cast<std::uint64_t>(least), static_cast<std::uint64_t>(most)));
  };
  if (cache == CacheState::warm) return own_of_one == 0 ? several_layers : layers(well_within_l2, 1, several_layers);
  return own_of_one == 0 ? without_own_bytes : layers(far_beyond_l2, several_layers, most_layers);
}

}  // namespace

std::uint64_t own_bytes(StageKind kind, const Weights& weights, int batch, kernels::DType state) {
  const ModelConfig& c = weights.config;
  const LayerWeights& layer = weights.layers.front();
  switch (kind) {
    case StageKind::state_update:
    case StageKind::readout:
    case StageKind::mixer:
      return kernels::size_of(state) * static_cast<std::uint64_t>(batch) * static_cast<std::uint64_t>(c.d_inner()) *
             static_cast<std::uint64_t>(c.d_state);
    case StageKind::in_proj:
      return layer.in_proj.bytes();
    case StageKind::out_proj:
      return layer.out_proj.bytes();
    case StageKind::mlp_up:
      return layer.fc1.bytes();
    case StageKind::mlp_down:
      return layer.fc2.bytes();
    case StageKind::head:
      return weights.head.bytes();
    default:
      return 0;
  }
}

ModelConfig kernel_config(const KernelShape& shape, std::span<const StageKind> stages) {
  constexpr int narrow = 64;
  ModelConfig config;
  config.n_layer = 1;
  config.d_model = std::any_of(stages.begin(), stages.end(), works_on_d_model) ? shape.d_model : narrow;
  config.expand = static_cast<double>(shape.heads) * shape.headdim / config.d_model;
  config.headdim = shape.headdim;
  config.d_state = shape.d_state;
  config.is_mimo = shape.rank > 1;
  config.mimo_rank = shape.rank;
  if (has(stages, {StageKind::mlp_norm, StageKind::mlp_up, StageKind::mlp_down})) {
    config.d_intermediate = 2 * shape.d_model;
  }
  config.vocab_size = has(stages, {StageKind::embed, StageKind::head}) ? 128256 : 16;
  config.pad_vocab_size_multiple = 16;
  return config;
}

Result<KernelBench> run_kernel_bench(const KernelBenchOptions& options,
                                     const std::function<void(const char*, double)>& progress) {
  const auto doing = [&progress](const char* what, double done) {
    if (progress) progress(what, done);
  };
  doing("opening", 0);
  ModelConfig config = kernel_config(options.shape, options.stages);
  const auto one_layer = plan_random_weights(config, options.shape.weights, options.seed);
  if (!one_layer) return tl::unexpected(one_layer.error());
  std::uint64_t own_of_one = 0;
  for (const StageKind kind : options.stages) {
    const bool same_state = kind == StageKind::readout && has(options.stages, {StageKind::state_update});
    if (!same_state) own_of_one += own_bytes(kind, *one_layer, options.backend.batch, options.backend.state);
  }
  config.n_layer = layers_for(options.cache, own_of_one);
  const bool on_gpu = choice_made(options.backend.choice) == BackendChoice::cuda;
  const auto make = on_gpu ? plan_random_weights : make_random_weights;
  const auto weights = make(config, options.shape.weights, options.seed);
  if (!weights) return tl::unexpected(weights.error());
  auto backend = make_backend(*weights, options.backend);
  if (!backend) return tl::unexpected(backend.error());
  Backend& measured = **backend;

  KernelBench result;
  result.info = measured.info();
  result.variant = measured.plan().variant;
  result.batch = options.backend.batch;
  int runs_a_round = 0;
  for (const StageKind kind : options.stages) {
    if (std::count(options.stages.begin(), options.stages.end(), kind) > 1) {
      return input_error(fmt::format("The stage {} is named twice.", name_of(kind)));
    }
    int found = 0;
    for (const Stage& stage : measured.plan().stages) {
      if (stage.kind != kind) continue;
      ++found;
      result.cost.bytes_read += stage.cost.bytes_read;
      result.cost.bytes_written += stage.cost.bytes_written;
      result.cost.flops += stage.cost.flops;
    }
    if (found == 0) {
      return input_error(
          fmt::format("At rank {} the {} step has no stage {}.", options.shape.rank, result.variant, name_of(kind)));
    }
    if (runs_a_round != 0 && found != runs_a_round) {
      return input_error("Stages of a layer and stages of the whole model are not timed together.");
    }
    runs_a_round = found;
  }
  const auto runs = static_cast<std::uint64_t>(runs_a_round);
  result.cost = {result.cost.bytes_read / runs, result.cost.bytes_written / runs, result.cost.flops / runs};
  result.layers = runs_a_round;
  result.rounds = (least_runs + runs_a_round - 1) / runs_a_round;
  result.own_bytes = own_of_one * runs;

  doing("verifying", 0.1);
  const auto on_host = draw_on_host(*weights);
  if (!on_host) return tl::unexpected(on_host.error());
  BackendOptions twin_options;
  // The reference takes over no state, which comparing step by step needs.
  twin_options.choice = result.info.state == "bf16" ? BackendChoice::cpu : BackendChoice::reference;
  auto twin = make_backend(*on_host, twin_options);
  if (!twin) return tl::unexpected(twin.error());
  result.twin = (*twin)->info().name;
  auto before = compare_with_twin(measured, **twin, config, options.verify_tokens);
  if (!before) return tl::unexpected(before.error());
  result.before = std::move(*before);
  if (!result.before.pass(options.rtol)) return result;
  twin->reset();

  doing("timing", 0.6);
  const Clocks clocks(result.info);
  std::vector<double> warm_up(3), milliseconds(static_cast<std::size_t>(options.samples));
  if (auto timed = measured.time_stages(options.stages, result.rounds, warm_up); !timed) {
    return tl::unexpected(timed.error());
  }
  auto watch = clocks.watch();
  if (auto timed = measured.time_stages(options.stages, result.rounds, milliseconds); !timed) {
    return tl::unexpected(timed.error());
  }
  result.clocks = clocks.report(watch.get());

  doing("verifying again", 0.8);
  const auto after = logits_again(measured, config, result.before);
  if (!after) return tl::unexpected(after.error());
  result.same_bits_after = same_bits(result.before.logits, *after);
  result.verified = result.same_bits_after;

  doing("measuring the copy rate", 0.9);
  backend->reset();
  const auto rate = measure_copy_rate(result.info);
  if (!rate) return tl::unexpected(rate.error());
  result.copy_bytes_per_second = *rate;
  for (const double ms : milliseconds) {
    result.microseconds.push_back(1e3 * ms / (static_cast<double>(result.rounds) * result.layers));
  }
  return result;
}

}  // namespace engine
