// What a bench promises: verified, as many times as asked for, and no speed without verification.
#include "engine/bench/bench.h"

#include "engine/backend/cpu_backend.h"
#include "engine/model/random_weights.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <vector>

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

TEST_CASE("publishing is timed beside steps without, and what came is checked") {
  engine::BenchOptions options = on_cpu();
  options.steps = 20;
  options.publish_layer = 0;
  const engine::Weights weights = small_weights();
  const auto bench = engine::run_bench(weights, weights, options, {});
  REQUIRE(bench);
  CHECK(bench->verified);
  CHECK_FALSE(bench->effect);
  REQUIRE(bench->publishing);
  const engine::PublishingCost& cost = *bench->publishing;
  CHECK(cost.complete);
  CHECK(cost.same_bits);
  CHECK(cost.with_ms.size() == 16);
  CHECK(cost.without_ms.size() == cost.with_ms.size());
  CHECK(cost.bytes > 4U * 64 * 16);
  CHECK(std::all_of(cost.with_ms.begin(), cost.with_ms.end(), [](double ms) { return ms > 0; }));

  options.publish_layer = 1;
  const auto refused = engine::run_bench(weights, weights, options, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == engine::ErrorKind::input);
}

TEST_CASE("a publisher that loses, repeats or changes a step is found out") {
  // Hands on what the CPU backend publishes, changed by a fault.
  class Faulty : public engine::CpuBackend {
   public:
    using Fault = void (*)(engine::Published&, const std::function<void(const engine::Published&)>&);
    Faulty(const engine::Weights& weights, Fault fault) : CpuBackend(weights, 1, 1), fault_(fault) {}
    engine::Result<void> publish(engine::PublishRequest request) override {
      if (!request.receive) return CpuBackend::publish({});
      const auto pass_on = [this, receive = request.receive](const engine::Published& step) {
        engine::Published changed = step;
        fault_(changed, receive);
      };
      return CpuBackend::publish({request.sequence, request.layer, pass_on});
    }

   private:
    Fault fault_;
  };
  using engine::Published;
  using Receive = std::function<void(const Published&)>;
  const engine::Weights weights = small_weights();
  const std::vector<std::int32_t> ids = {3};
  const auto measure = [&](Faulty::Fault fault) {
    Faulty backend(weights, fault);
    const auto cost = engine::measure_publishing(backend, ids, 0, 16);
    REQUIRE(cost);
    return *cost;
  };
  CHECK(measure([](Published& step, const Receive& to) { to(step); }).verified());
  CHECK_FALSE(measure([](Published& step, const Receive& to) {
                if (step.position != 3) to(step);
              }).complete);
  CHECK_FALSE(measure([](Published& step, const Receive& to) {
                to(step);
                if (step.position == 4) to(step);
              }).complete);
  const engine::PublishingCost changed = measure([](Published& step, const Receive& to) {
    step.layer.ssm.back() += 1e-6F;
    to(step);
  });
  CHECK(changed.complete);
  CHECK_FALSE(changed.same_bits);
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

TEST_CASE("running on drawn ids is timed beside steps whose ids are given, and what was drawn is checked") {
  engine::BenchOptions options = on_cpu();
  options.steps = 16;
  options.generate.resize(2);
  options.generate[1].kind = engine::Sampler::Kind::top_p;
  const engine::Weights weights = small_weights();
  const auto bench = engine::run_bench(weights, weights, options, {});
  REQUIRE(bench);
  CHECK(bench->verified);
  REQUIRE(bench->generating.size() == 2);
  for (const engine::GeneratingCost& cost : bench->generating) {
    CHECK(cost.same_ids);
    CHECK(cost.draws_compared == 32);  // both sequences of 16 steps
    CHECK(cost.with_ms.size() == 8);
    CHECK(cost.without_ms.size() == cost.with_ms.size());
    CHECK(std::all_of(cost.with_ms.begin(), cost.with_ms.end(), [](double ms) { return ms > 0; }));
  }

  // One wrong id of one sequence in the fifth draw.
  class Wrong : public engine::CpuBackend {
   public:
    explicit Wrong(const engine::Weights& of) : CpuBackend(of, 2, 1) {}
    engine::Result<void> generate(const engine::Sampler& sampler, std::span<std::int32_t> ids) override {
      auto done = CpuBackend::generate(sampler, ids);
      if (++draws_ == 5) ids.back() = (ids.back() + 1) % 40;
      return done;
    }

   private:
    int draws_ = 0;
  };
  Wrong wrong(weights);
  const std::vector<std::int32_t> ids = {3, 4};
  const auto cost = engine::measure_generating(wrong, weights.config, {}, ids, 16);
  REQUIRE(cost);
  CHECK_FALSE(cost->verified());
  CHECK(cost->with_ms.empty());
}
