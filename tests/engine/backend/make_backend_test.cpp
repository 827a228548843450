#include "engine/backend/backend.h"
#include "engine/model/random_weights.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace {

engine::Result<engine::Weights> tiny_weights() {
  engine::ModelConfig config;
  config.d_model = 16;
  config.n_layer = 1;
  config.vocab_size = 10;
  config.d_state = 8;
  config.headdim = 8;
  return engine::make_random_weights(config, kernels::DType::f32, 1);
}

}  // namespace

TEST_CASE("make_backend: cuda answers, or says why it cannot and what to do; automatic always has an answer") {
  const auto weights = tiny_weights();
  REQUIRE(weights.has_value());
  const std::string reason = engine::why_no_cuda();
  engine::BackendOptions options;
  options.choice = engine::BackendChoice::cuda;
  const auto cuda = engine::make_backend(*weights, options);
  CHECK(cuda.has_value() == reason.empty());
  if (!cuda) {
    CHECK(cuda.error().kind == engine::ErrorKind::system);
    CHECK(cuda.error().message.find(reason) != std::string::npos);
    CHECK(reason.find("--backend cpu") != std::string::npos);
  }
  options.choice = engine::BackendChoice::automatic;
  const auto automatic = engine::make_backend(*weights, options);
  REQUIRE(automatic.has_value());
  CHECK((*automatic)->info().name == (reason.empty() ? "cuda" : "cpu"));
}

TEST_CASE("make_backend: a bf16 state is the fused variant's alone, and the others say so") {
  const auto weights = tiny_weights();
  REQUIRE(weights.has_value());
  using engine::BackendChoice;
  for (const auto choice :
       {BackendChoice::automatic, BackendChoice::cpu, BackendChoice::reference, BackendChoice::cuda}) {
    engine::BackendOptions options;
    options.choice = choice;
    options.state = kernels::DType::bf16;
    const auto refused = engine::make_backend(*weights, options);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == engine::ErrorKind::input);
    CHECK(refused.error().message.find("--variant fused") != std::string::npos);
    CHECK(refused.error().message.find("--state fp32") != std::string::npos);
  }
  engine::BackendOptions options;
  for (const auto& [choice, state] : {std::pair{BackendChoice::cpu, "fp32"}, {BackendChoice::reference, "fp64"}}) {
    options.choice = choice;
    const auto backend = engine::make_backend(*weights, options);
    REQUIRE(backend.has_value());
    CHECK((*backend)->info().state == state);
  }
}
