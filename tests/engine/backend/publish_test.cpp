// What a host's backend publishes is what its read functions give, once a step and in order.
#include "engine/backend/backend.h"
#include "engine/model/random_weights.h"
#include "tests/support/bits.h"

#include <doctest/doctest.h>

#include <vector>

namespace {

engine::Weights small_weights() {
  engine::ModelConfig config;
  config.d_model = 32;
  config.n_layer = 3;
  config.vocab_size = 50;
  config.headdim = 16;
  config.d_state = 16;
  auto weights = engine::make_random_weights(config, kernels::DType::f32, 3);
  REQUIRE(weights.has_value());
  return std::move(*weights);
}

}  // namespace

TEST_CASE("publish: every step of a host's backend hands over what reading would give") {
  const engine::Weights weights = small_weights();
  for (const auto choice : {engine::BackendChoice::cpu, engine::BackendChoice::reference}) {
    engine::BackendOptions options;
    options.choice = choice;
    options.batch = 2;
    options.threads = 1;
    auto made = engine::make_backend(weights, options);
    REQUIRE(made.has_value());
    engine::Backend& backend = **made;
    std::vector<engine::Published> seen;
    REQUIRE(backend.publish({1, 2, [&](const engine::Published& step) { seen.push_back(step); }}).has_value());
    for (int t = 0; t < 3; ++t) {
      const std::vector<std::int32_t> ids = {t, 7 + t};
      REQUIRE(backend.step(ids, nullptr).has_value());
      REQUIRE(seen.size() == static_cast<std::size_t>(t + 1));
      const engine::Published& step = seen.back();
      CHECK(step.position == t + 1);
      std::vector<float> logits(step.logits.size());
      engine::StepCoefficients coefficients;
      engine::SequenceState state;
      const std::vector<int> layers = {2};
      REQUIRE(backend.read_logits(1, logits).has_value());
      REQUIRE(backend.read_coefficients(1, coefficients).has_value());
      REQUIRE(backend.read_state(1, layers, true, state).has_value());
      CHECK(tests::same_bits(step.logits, logits));
      CHECK(tests::same_bits(step.coefficients.alpha, coefficients.alpha));
      CHECK(tests::same_bits(step.coefficients.turn, coefficients.turn));
      CHECK(tests::same_bits(step.layer.angle, state.layers[2].angle));
      CHECK(step.layer.turns == state.layers[2].turns);
      CHECK(tests::same_bits(step.layer.ssm, state.layers[2].ssm));
      CHECK(tests::same_bits(step.layer.k, state.layers[2].k));
      CHECK(tests::same_bits(step.layer.v, state.layers[2].v));
    }
    REQUIRE(backend.publish({}).has_value());
    REQUIRE(backend.step(std::vector<std::int32_t>{1, 2}, nullptr).has_value());
    CHECK(seen.size() == 3);
    for (const auto& [sequence, layer] : {std::pair{2, 0}, {-1, 0}, {0, 3}, {0, -1}}) {
      const auto refused = backend.publish({sequence, layer, [](const engine::Published&) {}});
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().kind == engine::ErrorKind::input);
    }
  }
}
