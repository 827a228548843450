// A CUDA backend that must open, and small weights to open it with.
#pragma once

#include "engine/backend/cuda_backend.h"
#include "engine/model/random_weights.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

namespace gpu_test {

inline std::unique_ptr<engine::Backend> open_backend(const engine::Weights& weights,
                                                     const engine::BackendOptions& options) {
  auto backend = engine::make_cuda_backend(weights, options);
  const std::string message = backend ? std::string() : backend.error().message;
  CAPTURE(message);
  REQUIRE(backend.has_value());
  return std::move(*backend);
}

// Two layers in bf16.
inline engine::Weights small_weights(int rank, int vocab_size) {
  engine::ModelConfig config;
  config.d_model = 64;
  config.d_intermediate = 96;
  config.n_layer = 2;
  config.vocab_size = vocab_size;
  config.headdim = 32;
  config.d_state = 64;
  config.is_mimo = rank > 1;
  config.mimo_rank = rank > 1 ? rank : 4;
  auto weights = engine::make_random_weights(config, kernels::DType::bf16, 21);
  REQUIRE(weights.has_value());
  return std::move(*weights);
}

}  // namespace gpu_test
