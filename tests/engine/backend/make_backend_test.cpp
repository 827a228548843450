#include "engine/backend/backend.h"
#include "engine/model/random_weights.h"

#include <doctest/doctest.h>

TEST_CASE("make_backend: cuda answers, or says why it cannot and what to do; automatic always has an answer") {
  engine::ModelConfig config;
  config.d_model = 16;
  config.n_layer = 1;
  config.vocab_size = 10;
  config.d_state = 8;
  config.headdim = 8;
  const auto weights = engine::make_random_weights(config, kernels::DType::f32, 1);
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
