#include "engine/bench/bench.h"

#include "engine/bench/clocks.h"
#include "engine/intervention/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace engine {

namespace {

// The sequences' next tokens, the same at every timed step: what a step costs does not depend on them.
std::vector<std::int32_t> timed_ids(const ModelConfig& config, int batch) {
  std::vector<std::int32_t> ids;
  ids.reserve(static_cast<std::size_t>(batch));
  for (int b = 0; b < batch; ++b) ids.push_back(twin_token(config.vocab_size, 0, b));
  return ids;
}

}  // namespace

Result<Bench> run_bench(const Weights& weights, const Weights& on_host, const BenchOptions& options,
                        const std::function<void(const char*, double)>& progress) {
  if (auto possible = check_timed(options.interventions, weights.config); !possible)
    return tl::unexpected(possible.error());
  const auto doing = [&progress](const char* what, double done) {
    if (progress) progress(what, done);
  };
  if (options.publish_layer >= weights.config.n_layer) {
    return input_error(fmt::format("Layer {}, which is to be published, is outside the model's {} layers.",
                                   options.publish_layer, weights.config.n_layer));
  }
  doing("opening", 0);
  const auto start = std::chrono::steady_clock::now();
  auto backend = make_backend(weights, options.backend);
  if (!backend) return tl::unexpected(backend.error());
  Backend& measured = **backend;
  const std::vector<std::int32_t> ids = timed_ids(weights.config, measured.plan().batch);
  if (auto first = measured.step(ids, nullptr); !first) return tl::unexpected(first.error());
  Bench result;
  result.first_token_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  result.info = measured.info();
  result.variant = measured.plan().variant;
  result.batch = measured.plan().batch;
  result.bytes_per_step = measured.plan().total().bytes();

  doing("verifying", 0.1);
  BackendOptions twin_options;
  twin_options.choice = result.info.is_gpu ? BackendChoice::cpu : BackendChoice::reference;
  auto twin = make_backend(on_host, twin_options);
  if (!twin) return tl::unexpected(twin.error());
  result.twin = (*twin)->info().name;
  auto before = compare_with_twin(measured, **twin, weights.config, options.verify_tokens);
  if (!before) return tl::unexpected(before.error());
  result.before = std::move(*before);
  if (!result.before.pass(options.rtol)) return result;
  if (result.before.step_by_step) {
    doing("measuring what the state's type costs", 0.4);
    const auto effect = measure_state_effect(measured, **twin, weights.config, options.effect_tokens);
    if (!effect) return tl::unexpected(effect.error());
    result.effect = *effect;
  }
  if (!options.interventions.empty()) {
    doing("verifying under interventions", 0.45);
    auto cost =
        compare_changed(measured, **twin, weights.config, options.interventions, options.verify_tokens, result.before);
    if (!cost) return tl::unexpected(cost.error());
    result.changed = std::move(*cost);
  }
  twin->reset();

  doing("timing", 0.5);
  const Clocks clocks(result.info);
  for (const CacheState cache : options.caches) {
    std::vector<double> warm_up(static_cast<std::size_t>(options.warmup));
    BenchTiming timing;
    timing.cache = cache;
    timing.milliseconds.resize(static_cast<std::size_t>(options.steps));
    if (auto timed = measured.time_steps(ids, warm_up, cache); !timed) return tl::unexpected(timed.error());
    auto watch = clocks.watch();
    if (auto timed = measured.time_steps(ids, timing.milliseconds, cache); !timed) return tl::unexpected(timed.error());
    timing.clocks = clocks.report(watch.get());
    result.timings.push_back(std::move(timing));
  }

  if (options.publish_layer >= 0) {
    doing("timing with publishing", 0.7);
    auto cost = measure_publishing(measured, ids, options.publish_layer, options.steps);
    if (!cost) return tl::unexpected(cost.error());
    result.publishing = std::move(*cost);
  }

  if (options.errors) {
    doing("timing with errors measured", 0.75);
    auto cost = measure_errors_cost(measured, weights, on_host, options.backend, ids, options.steps);
    if (!cost) return tl::unexpected(cost.error());
    result.errors = std::move(*cost);
  }
  if (options.prefill_tokens > 0) {
    doing("timing a prefill", 0.75);
    auto cost = measure_prefilling(measured, weights.config, options.prefill_tokens);
    if (!cost) return tl::unexpected(cost.error());
    result.prefill = std::move(*cost);
  }
  if (options.neutral) {
    doing("timing with neutral interventions", 0.75);
    auto cost = measure_neutral_cost(measured, weights.config, ids, options.steps);
    if (!cost) return tl::unexpected(cost.error());
    result.neutral = std::move(*cost);
  }
  if (result.changed && result.changed->verified(options.rtol)) {
    doing("timing under interventions", 0.75);
    auto timed = time_changed(measured, changes_at(options.interventions, weights.config, 0), ids, options.steps,
                              result.changed->without_ms, result.changed->with_ms);
    if (!timed) return tl::unexpected(timed.error());
  }
  if (options.tiles) {
    doing("timing with the state read at a coarser grain", 0.75);
    auto cost = measure_tiles_cost(measured, weights.config, ids, options.steps);
    if (!cost) return tl::unexpected(cost.error());
    result.tiles = std::move(*cost);
  }
  for (const Sampler& sampler : options.generate) {
    doing("timing with drawing", 0.75);
    auto cost = measure_generating(measured, weights.config, sampler, ids, options.steps);
    if (!cost) return tl::unexpected(cost.error());
    result.generating.push_back(std::move(*cost));
  }

  doing("verifying again", 0.8);
  const auto after = logits_again(measured, weights.config, result.before);
  if (!after) return tl::unexpected(after.error());
  result.same_bits_after = same_bits(result.before.logits, *after);
  result.verified = result.same_bits_after && (!result.publishing || result.publishing->verified()) &&
                    (!result.errors || result.errors->verified()) && (!result.prefill || result.prefill->verified()) &&
                    (!result.neutral || result.neutral->verified()) &&
                    (!result.changed || result.changed->verified(options.rtol)) &&
                    (!result.tiles || result.tiles->verified()) &&
                    std::all_of(result.generating.begin(), result.generating.end(),
                                [](const GeneratingCost& cost) { return cost.verified(); });

  doing("measuring the copy rate", 0.9);
  backend->reset();  // its memory is the copy's now
  const auto rate = measure_copy_rate(result.info);
  if (!rate) return tl::unexpected(rate.error());
  result.copy_bytes_per_second = *rate;
  return result;
}

}  // namespace engine
