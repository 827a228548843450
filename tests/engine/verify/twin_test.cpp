// A planted error is found in the tensor where it is, and a backend that agrees passes.
#include "engine/verify/twin.h"

#include "engine/model/random_weights.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>

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

}  // namespace

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
