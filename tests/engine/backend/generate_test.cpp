// A host's backend that runs on its own draws does what reading, drawing and stepping by hand does.
#include "engine/backend/backend.h"
#include "engine/model/random_weights.h"
#include "engine/sampling/sampler.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <vector>

using engine::Sampler;

namespace {

engine::Weights small_weights() {
  engine::ModelConfig config;
  config.d_model = 32;
  config.n_layer = 2;
  config.vocab_size = 50;  // padded to more, which is never drawn
  config.headdim = 16;
  config.d_state = 16;
  auto weights = engine::make_random_weights(config, kernels::DType::f32, 3);
  REQUIRE(weights.has_value());
  return std::move(*weights);
}

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, engine::BackendChoice choice) {
  engine::BackendOptions options;
  options.choice = choice;
  options.batch = 2;
  options.threads = 1;
  auto made = engine::make_backend(weights, options);
  REQUIRE(made.has_value());
  return std::move(*made);
}

}  // namespace

TEST_CASE("generate: the ids of steps whose ids are drawn one by one, each sequence with a seed of its own") {
  const engine::Weights weights = small_weights();
  std::vector<float> logits(static_cast<std::size_t>(weights.config.padded_vocab()));
  for (const auto choice : {engine::BackendChoice::cpu, engine::BackendChoice::reference}) {
    const auto running = open(weights, choice), stepping = open(weights, choice);
    for (const auto kind : {Sampler::Kind::top_p, Sampler::Kind::greedy, Sampler::Kind::temperature}) {
      Sampler sampler;
      sampler.kind = kind;
      sampler.seed = 7;
      std::vector<std::int32_t> ids(12);
      REQUIRE(running->generate(sampler, ids).has_value());
      bool apart = false;
      for (std::size_t t = 0; t < 6; ++t) {
        std::vector<std::int32_t> drawn;
        for (const int b : {0, 1}) {
          REQUIRE(stepping->read_logits(b, logits).has_value());
          Sampler own = sampler;
          own.seed = 7U + static_cast<unsigned>(b);
          drawn.push_back(engine::sample({logits.data(), 50}, own, static_cast<std::uint64_t>(stepping->position())));
        }
        REQUIRE(stepping->step(drawn, nullptr).has_value());
        CHECK(ids[2 * t] == drawn[0]);
        CHECK(ids[2 * t + 1] == drawn[1]);
        apart = apart || drawn[0] != drawn[1];
      }
      if (kind == Sampler::Kind::top_p) CHECK(apart);
      CHECK(running->position() == stepping->position());
    }
    std::vector<std::int32_t> part(3);
    const auto refused = running->generate({}, part);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == engine::ErrorKind::input);
    CHECK(running->position() == 18);
    CHECK(running->generate({}, {}).has_value());
  }
}
