// Skipped unless asked for by name with --no-skip: the process has no working device afterwards.
#include "tests/gpu/failure.h"

#include "engine/backend/cuda_backend.h"
#include "engine/model/random_weights.h"
#include "tests/gpu/device.h"

TEST_CASE("gpu backend: a lost device is the answer to every later call" * doctest::skip()) {
  engine::ModelConfig config;
  config.d_model = 32;
  config.n_layer = 2;
  config.vocab_size = 20;
  config.d_state = 16;
  config.headdim = 16;
  const auto weights = engine::make_random_weights(config, kernels::DType::f32, 3);
  REQUIRE(weights.has_value());
  auto backend = engine::make_cuda_backend(*weights, {});
  REQUIRE(backend.has_value());
  const std::int32_t id = 5;
  REQUIRE((*backend)->step({&id, 1}, nullptr).has_value());

  gpu_test::launch_trap(gpu_test::stream().handle());
  CHECK_FALSE(gpu_test::stream().synchronize().has_value());

  const auto step = (*backend)->step({&id, 1}, nullptr);
  REQUIRE_FALSE(step.has_value());
  CHECK(step.error().kind == engine::ErrorKind::system);
  CHECK(step.error().message.find("Token 1") != std::string::npos);
  CHECK(step.error().message.find("cudaError") != std::string::npos);
  CHECK((*backend)->position() == 1);

  const auto again = (*backend)->step({&id, 1}, nullptr);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().message == step.error().message);
  std::vector<float> logits(24);
  CHECK_FALSE((*backend)->read_logits(0, logits).has_value());
  engine::StepCoefficients coefficients;
  CHECK_FALSE((*backend)->read_coefficients(0, coefficients).has_value());
  CHECK_FALSE((*backend)->reset().has_value());
  CHECK_FALSE(engine::make_cuda_backend(*weights, {}).has_value());
}
