// Random weights drawn on the device: the host's bits, element by element and through a whole model.
#include "engine/backend/cuda_backend.h"
#include "engine/model/random_weights.h"
#include "kernels/random/random_fill.h"
#include "tests/gpu/device.h"
#include "tests/gpu/matrices.h"
#include "tests/support/bits.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <vector>

using kernels::DType;
using kernels::RandomFill;

namespace {

// To nearest, ties to even.
std::uint16_t bf16_bits(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, 4);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}

std::uint16_t f16_bits(float value) {
  const auto half = static_cast<_Float16>(value);
  std::uint16_t bits = 0;
  std::memcpy(&bits, &half, 2);
  return bits;
}

}  // namespace

TEST_CASE("gpu random_fill: every element is the host's, and nothing behind the last is written") {
  std::vector<int> sizes = {1, 3, 7, 8, 9, 2048, 100003};
  if (!gpu_test::small()) sizes.push_back(20'000'003);  // more than one round of the grid
  for (const int count : sizes) {
    for (const auto dtype : {DType::f32, DType::f16, DType::bf16}) {
      for (const auto& fill : {RandomFill{RandomFill::Kind::normal, 0.02, 77},
                               RandomFill{RandomFill::Kind::uniform, 0.0221, 0x123456789abcdefU}}) {
        CAPTURE(count);
        CAPTURE(kernels::name_of(dtype));
        const std::size_t bytes = static_cast<std::size_t>(count) * kernels::size_of(dtype);
        const gpu_test::Array<std::uint8_t> made(std::vector<std::uint8_t>(bytes + 16, 0xA5));
        gpu_test::finish(
            kernels::device::random_fill(made.data(), {nullptr, dtype, 1, count}, fill, gpu_test::stream().handle()));
        const std::vector<std::uint8_t> found = made.read();
        std::int64_t wrong = 0;
        for (int i = 0; i < count; ++i) {
          const float value = fill(static_cast<std::uint64_t>(i));
          const std::uint16_t narrow = dtype == DType::f16 ? f16_bits(value) : bf16_bits(value);
          const void* expected = dtype == DType::f32 ? static_cast<const void*>(&value) : &narrow;
          const std::size_t width = kernels::size_of(dtype);
          wrong += std::memcmp(found.data() + static_cast<std::size_t>(i) * width, expected, width) == 0 ? 0 : 1;
        }
        CHECK(wrong == 0);
        for (std::size_t i = bytes; i < found.size(); ++i) CHECK(found[i] == 0xA5);
      }
    }
  }
}

TEST_CASE("gpu random_fill: a model drawn on the device has the bits of one that was uploaded") {
  for (const bool tied : {true, false}) {
    for (const int mlp : {0, 96}) {
      CAPTURE(tied);
      CAPTURE(mlp);
      engine::ModelConfig config;
      config.d_model = 64;
      config.d_intermediate = mlp;
      config.n_layer = 2;
      config.vocab_size = 101;
      config.headdim = 32;
      config.d_state = 64;
      config.is_mimo = tied;
      config.tie_embeddings = tied;
      const auto planned = engine::plan_random_weights(config, DType::bf16, 9);
      REQUIRE(planned.has_value());
      const auto drawn = engine::draw_on_host(*planned);
      REQUIRE(drawn.has_value());
      std::vector<std::vector<float>> logits;
      for (const engine::Weights* weights : {&*planned, &*drawn}) {
        auto backend = engine::make_cuda_backend(*weights, {});
        REQUIRE(backend.has_value());
        const std::vector<std::int32_t> ids = {17};
        for (int t = 0; t < 3; ++t) REQUIRE((*backend)->step(ids, nullptr).has_value());
        REQUIRE((*backend)->read_logits(0, logits.emplace_back(config.padded_vocab())).has_value());
      }
      CHECK(tests::same_bits(logits[0], logits[1]));
    }
  }
}
