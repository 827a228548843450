// What a bench promises: verified, as many times as asked for, and no speed without verification.
#include "engine/bench/bench.h"

#include "engine/model/random_weights.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

engine::Weights small_weights() {
  engine::ModelConfig config;
  config.d_model = 32;
  config.n_layer = 1;
  config.vocab_size = 40;
  config.headdim = 16;
  config.d_state = 16;
  auto weights = engine::make_random_weights(config, kernels::DType::bf16, 5);
  REQUIRE(weights);
  return std::move(*weights);
}

engine::BenchOptions on_cpu() {
  engine::BenchOptions options;
  options.backend.choice = engine::BackendChoice::cpu;
  options.backend.threads = 1;
  options.backend.batch = 2;
  options.steps = 5;
  options.warmup = 1;
  return options;
}

}  // namespace

TEST_CASE("a step of the CPU is verified, timed, verified again and held against the copy rate") {
  const engine::Weights weights = small_weights();
  const auto bench = engine::run_bench(weights, weights, on_cpu(), {});
  REQUIRE(bench);
  CHECK(bench->verified);
  CHECK(bench->same_bits_after);
  CHECK(bench->twin == "reference");
  REQUIRE(bench->timings.size() == 1);
  const std::vector<double>& taken = bench->timings.front().milliseconds;
  CHECK(taken.size() == 5);
  CHECK(std::all_of(taken.begin(), taken.end(), [](double ms) { return ms > 0; }));
  CHECK_FALSE(bench->timings.front().clocks.unavailable.empty());
  CHECK(bench->working_set() == bench->info.weight_bytes + 2 * bench->info.state_bytes);
  CHECK_FALSE(bench->fits_l2());
  CHECK(bench->copy_bytes_per_second > 1e8);
  CHECK(bench->bytes_per_step > 0);
  CHECK(bench->first_token_ms > 0);
}

TEST_CASE("what does not verify is not timed") {
  engine::BenchOptions options = on_cpu();
  options.rtol = 0;  // stricter than fp32 can be
  const engine::Weights weights = small_weights();
  const auto bench = engine::run_bench(weights, weights, options, {});
  REQUIRE(bench);
  CHECK_FALSE(bench->verified);
  CHECK(bench->timings.empty());
  CHECK_FALSE(bench->before.where.empty());
}

TEST_CASE("a CPU's cache cannot be made cold") {
  engine::BenchOptions options = on_cpu();
  options.caches = {engine::CacheState::cold};
  const engine::Weights weights = small_weights();
  const auto bench = engine::run_bench(weights, weights, options, {});
  REQUIRE_FALSE(bench);
  CHECK(bench.error().kind == engine::ErrorKind::input);
}
