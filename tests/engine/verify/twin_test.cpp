// A planted error is found in the tensor where it is, and a backend that agrees passes.
#include "engine/verify/twin.h"

#include "engine/backend/cpu_backend.h"
#include "engine/model/random_weights.h"
#include "kernels/bf16.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstring>
#include <memory>
#include <numeric>

namespace {

engine::Weights small_weights() {
  engine::ModelConfig config;
  config.d_model = 32;
  config.n_layer = 2;
  config.vocab_size = 50;
  config.headdim = 16;
  config.d_state = 16;
  auto weights = engine::make_random_weights(config, kernels::DType::f32, 3);
  REQUIRE(weights);
  return std::move(*weights);
}

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, engine::BackendChoice choice, int batch) {
  engine::BackendOptions options;
  options.choice = choice;
  options.batch = batch;
  options.threads = 1;
  auto backend = engine::make_backend(weights, options);
  REQUIRE(backend);
  return std::move(*backend);
}

// What a device with a bf16 state does, on the CPU: after every step the matrix state is rounded. `round` gives the bits.
class NarrowState : public engine::CpuBackend {
 public:
  using Round = std::uint16_t (*)(float);
  NarrowState(const engine::Weights& weights, int batch, Round round)
      : CpuBackend(weights, batch, 1), layers_(static_cast<std::size_t>(weights.config.n_layer)), round_(round) {
    info_.state = "bf16";
    std::iota(layers_.begin(), layers_.end(), 0);
  }
  engine::Result<void> step(std::span<const std::int32_t> ids, engine::Observer* observer) override {
    if (auto done = CpuBackend::step(ids, observer); !done) return done;
    for (int b = 0; b < plan().batch; ++b) {
      engine::SequenceState state;
      if (auto read = read_state(b, layers_, true, state); !read) return read;
      for (engine::LayerState& layer : state.layers) {
        for (float& value : layer.ssm) value = kernels::widen_bf16(round_(value));
      }
      if (auto written = restore(b, state); !written) return written;
    }
    return {};
  }

 private:
  std::vector<int> layers_;
  Round round_;
};

std::uint16_t to_nearest(float value) { return kernels::round_to_bf16(value); }
std::uint16_t towards_zero(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16U);
}

}  // namespace

TEST_CASE("a bf16 state is compared step by step: one rounding a step is allowed, and no more") {
  const engine::Weights weights = small_weights();
  const auto twin = open(weights, engine::BackendChoice::cpu, 1);
  NarrowState nearest(weights, 3, to_nearest);
  const auto report = engine::compare_with_twin(nearest, *twin, weights.config, 6);
  REQUIRE(report);
  CHECK(report->step_by_step);
  CHECK(report->sequences == std::vector<int>{0, 2});
  CHECK(report->pass(1e-6));  // the arithmetic is the twin's own
  const auto again = engine::logits_again(nearest, weights.config, *report);
  REQUIRE(again);
  REQUIRE(again->size() == report->logits.size());
  CHECK(std::memcmp(again->data(), report->logits.data(), again->size() * sizeof(float)) == 0);

  NarrowState careless(weights, 1, towards_zero);
  const auto cut = engine::compare_with_twin(careless, *twin, weights.config, 6);
  REQUIRE(cut);
  CHECK_FALSE(cut->pass(2e-4));
  CHECK(cut->where.find("ssm") != std::string::npos);

  engine::Weights wrong = weights;
  wrong.layers[1].b_bias[0] = -wrong.layers[1].b_bias[0];
  NarrowState mistaken(wrong, 1, to_nearest);
  const auto found = engine::compare_with_twin(mistaken, *twin, weights.config, 3);
  REQUIRE(found);
  CHECK_FALSE(found->pass(1e-2));
  CHECK(found->where.find("of layer 1") != std::string::npos);
}

TEST_CASE("what a narrower state makes of the logits is measured beside the twin, each from its own state") {
  const engine::Weights weights = small_weights();
  const auto twin = open(weights, engine::BackendChoice::cpu, 1);
  NarrowState nearest(weights, 2, to_nearest);
  const auto effect = engine::measure_state_effect(nearest, *twin, weights.config, 24);
  REQUIRE(effect);
  CHECK(effect->tokens == 24);
  CHECK(effect->logits.max_rel > 1e-5);  // the roundings add up
  CHECK(effect->logits.max_rel < 0.1);
  CHECK(effect->top1_agreement > 0.5);
  const auto same = open(weights, engine::BackendChoice::cpu, 2);
  const auto none = engine::measure_state_effect(*same, *twin, weights.config, 24);
  REQUIRE(none);
  CHECK(none->logits.max_rel == 0);
  CHECK(none->top1_agreement == 1);
}

TEST_CASE("the CPU backend agrees with the reference, first and last sequence of a batch") {
  const engine::Weights weights = small_weights();
  const auto measured = open(weights, engine::BackendChoice::cpu, 3);
  const auto twin = open(weights, engine::BackendChoice::reference, 1);
  const auto report = engine::compare_with_twin(*measured, *twin, weights.config, 5);
  REQUIRE(report);
  CHECK(report->sequences == std::vector<int>{0, 2});
  CHECK(report->worst > 0);
  CHECK(report->pass(1e-4));
  CHECK_FALSE(report->pass(report->worst / 2));
  const auto again = engine::logits_again(*measured, weights.config, *report);
  REQUIRE(again);
  REQUIRE(again->size() == report->logits.size());
  CHECK(std::memcmp(again->data(), report->logits.data(), again->size() * sizeof(float)) == 0);
}

TEST_CASE("a sign that is wrong in one layer is found there") {
  const engine::Weights weights = small_weights();
  engine::Weights wrong = weights;
  wrong.layers[1].b_bias[0] = -wrong.layers[1].b_bias[0];  // only keys of layer 1, and what follows from them
  const auto measured = open(wrong, engine::BackendChoice::cpu, 1);
  const auto twin = open(weights, engine::BackendChoice::reference, 1);
  const auto report = engine::compare_with_twin(*measured, *twin, weights.config, 3);
  REQUIRE(report);
  CHECK_FALSE(report->pass(1e-2));
  CHECK(report->where.find("of layer 1") != std::string::npos);
}
