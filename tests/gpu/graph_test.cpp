// The step as one CUDA graph: the same bits as launch by launch, through restoring and timing.
#include "engine/backend/cuda_backend.h"
#include "engine/model/random_weights.h"
#include "kernels/device/copy_rate.h"
#include "tests/gpu/device.h"
#include "tests/gpu/open_backend.h"
#include "tests/support/bits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace {

engine::Weights weights_of(int rank) {
  constexpr int vocab_size = 101;
  return gpu_test::small_weights(rank, vocab_size);
}

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, int batch, bool graph,
                                      engine::Variant variant = engine::Variant::staged) {
  engine::BackendOptions options;
  options.batch = batch;
  options.graph = graph;
  options.variant = variant;
  return gpu_test::open_backend(weights, options);
}

std::vector<float> step(engine::Backend& backend, const engine::Weights& weights, int first) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(backend.plan().batch));
  for (std::size_t b = 0; b < ids.size(); ++b) ids[b] = (first + 7 * static_cast<std::int32_t>(b)) % 101;
  REQUIRE(backend.step(ids, nullptr).has_value());
  std::vector<float> logits(static_cast<std::size_t>(weights.config.padded_vocab()));
  REQUIRE(backend.read_logits(backend.plan().batch - 1, logits).has_value());
  return logits;
}

}  // namespace

TEST_CASE("gpu graph: the same bits as launch by launch, also after a restored state") {
  struct Case {
    engine::Variant variant;
    int rank, batch;
  };
  using engine::Variant;
  const std::vector<Case> cases = {
      {Variant::staged, 1, 1}, {Variant::staged, 4, 9}, {Variant::fused, 1, 1}, {Variant::fused, 4, 9}};
  for (const Case& c : cases) {
    const Variant variant = c.variant;
    const int rank = c.rank, batch = c.batch;
    CAPTURE(static_cast<int>(variant));
    CAPTURE(rank);
    CAPTURE(batch);
    const engine::Weights weights = weights_of(rank);
    const auto eager = open(weights, batch, false, variant);
    const auto graph = open(weights, batch, true, variant);
    CHECK(graph->info().graph);
    CHECK_FALSE(eager->info().graph);
    for (int t = 0; t < 4; ++t) CHECK(tests::same_bits(step(*graph, weights, t), step(*eager, weights, t)));

    engine::SequenceState saved;
    const std::vector<int> layers = {0, 1};
    REQUIRE(graph->read_state(batch - 1, layers, true, saved).has_value());
    const std::vector<float> next = step(*graph, weights, 50);
    REQUIRE(graph->restore(batch - 1, saved).has_value());
    CHECK(tests::same_bits(step(*graph, weights, 50), next));
  }
}

TEST_CASE("gpu graph: timed steps are steps, and take time") {
  const engine::Weights weights = weights_of(1);
  const auto timed = open(weights, 1, true);
  const auto stepped = open(weights, 1, false);
  const std::vector<std::int32_t> ids = {17};
  std::vector<double> milliseconds(5, -1.0);
  REQUIRE(timed->time_steps(ids, milliseconds, engine::CacheState::warm).has_value());
  for (const double ms : milliseconds) {
    CHECK(ms > 0);
    CHECK(ms < 1000);
  }
  for (int t = 0; t < 5; ++t) REQUIRE(stepped->step(ids, nullptr).has_value());
  CHECK(timed->position() == 5);
  CHECK(tests::same_bits(step(*timed, weights, 3), step(*stepped, weights, 3)));
}

TEST_CASE("gpu graph: a cold L2 costs time, and not one bit") {
  engine::ModelConfig config;
  config.d_model = 512;
  config.d_intermediate = 1024;
  config.n_layer = 4;
  config.vocab_size = 101;
  const auto weights = engine::plan_random_weights(config, kernels::DType::bf16, 4);
  REQUIRE(weights.has_value());
  const auto backend = open(*weights, 1, true);
  REQUIRE(backend->info().l2_bytes > 0);
  const std::vector<std::int32_t> ids = {17};
  const auto run = [&](engine::CacheState cache, double& median) {
    REQUIRE(backend->reset().has_value());
    std::vector<double> milliseconds(gpu_test::small() ? 3 : 21);
    REQUIRE(backend->time_steps(ids, milliseconds, cache).has_value());
    std::sort(milliseconds.begin(), milliseconds.end());
    median = milliseconds[milliseconds.size() / 2];
    return step(*backend, *weights, 3);
  };
  double warm = 0, cold = 0;
  const std::vector<float> after_warm = run(engine::CacheState::warm, warm);
  const std::vector<float> after_cold = run(engine::CacheState::cold, cold);
  CHECK(tests::same_bits(after_warm, after_cold));
  CAPTURE(warm);
  CAPTURE(cold);
  // The weights lie in the L2 of whatever has 32 MiB of it.
  if (backend->info().l2_bytes > (std::size_t{32} << 20) && !gpu_test::small()) CHECK(cold > warm);
}

TEST_CASE("gpu: the copy rate is one that memory has") {
  const auto rate = kernels::measure_copy_rate();
  REQUIRE(rate.has_value());
  CHECK(*rate > 1e10);
  CHECK(*rate < 1e14);
}

TEST_CASE("gpu graph: steps that are queued ahead leave the bits of steps that are waited for, and end in order") {
  struct Log : engine::Observer {
    std::vector<std::int64_t> begun, ended;
    std::size_t queued = 0, most_at_once = 0;
    void step_begin(std::int64_t token) override { begun.push_back(token); }
    void before(const engine::Stage&) override {}
    void after(const engine::Stage&) override {}
    void step_queued() override {
      ++queued;
      most_at_once = std::max(most_at_once, queued - ended.size());
    }
    void step_end(std::int64_t token) override { ended.push_back(token); }
  };
  const engine::Weights weights = weights_of(4);
  for (const auto variant : {engine::Variant::staged, engine::Variant::fused}) {
    for (const bool graph : {false, true}) {
      for (const int batch : {1, 8, 9}) {
        CAPTURE(static_cast<int>(variant));
        CAPTURE(graph);
        CAPTURE(batch);
        const auto waiting = open(weights, batch, graph, variant), ahead = open(weights, batch, graph, variant);
        CHECK(ahead->info().ahead == (batch <= 8));
        constexpr std::int32_t steps = 50;
        std::vector<std::int32_t> ids;
        for (std::int32_t i = 0; i < steps * batch; ++i) ids.push_back((3 + 7 * i * i) % 101);
        const auto each = static_cast<std::size_t>(batch);
        for (std::size_t i = 0; i < steps; ++i)
          REQUIRE(waiting->step({ids.data() + i * each, each}, nullptr).has_value());
        Log log;
        REQUIRE(ahead->step_all(std::span(ids).first(3 * each), nullptr).has_value());
        REQUIRE(ahead->step_all(std::span(ids).subspan(3 * each), &log).has_value());
        CHECK(ahead->position() == steps);
        REQUIRE(log.ended.size() == steps - 3);
        CHECK(log.begun == log.ended);
        CHECK(log.queued == log.ended.size());
        CHECK(log.most_at_once == (batch <= 8 ? 2 : 1));
        for (std::size_t i = 0; i < log.ended.size(); ++i) CHECK(log.ended[i] == static_cast<std::int64_t>(i) + 3);
        std::vector<float> a(static_cast<std::size_t>(weights.config.padded_vocab())), b(a.size());
        for (int sequence = 0; sequence < batch; ++sequence) {
          REQUIRE(waiting->read_logits(sequence, a).has_value());
          REQUIRE(ahead->read_logits(sequence, b).has_value());
          CHECK(tests::same_bits(a, b));
        }
        CHECK_FALSE(ahead->step_all(std::vector<std::int32_t>(each + (each > 1 ? 1 : 0), 101), nullptr).has_value());
      }
    }
  }
}
