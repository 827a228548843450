#include "engine/model/random_weights.h"

#include "engine/backend/backend.h"
#include "tests/support/bits.h"

#include <doctest/doctest.h>

#include <cmath>

namespace {

engine::ModelConfig siso_187m() {
  engine::ModelConfig config;
  config.d_model = 768;
  config.d_intermediate = 1536;
  config.n_layer = 12;
  config.vocab_size = 128256;
  config.pad_vocab_size_multiple = 16;
  return config;
}

}  // namespace

TEST_CASE("random weights: the released shapes have the published parameter counts") {
  engine::ModelConfig config = siso_187m();
  const auto siso = engine::make_random_weights(config, kernels::DType::bf16, 1);
  REQUIRE(siso.has_value());
  CHECK(siso->parameters == 186849600);
  CHECK(siso->layers[0].in_proj.rows == 3432);
  config.is_mimo = true;
  config.d_intermediate = 1264;
  const auto mimo = engine::make_random_weights(config, kernels::DType::bf16, 1);
  REQUIRE(mimo.has_value());
  CHECK(mimo->parameters == 187291968);
  CHECK(mimo->layers[0].in_proj.rows == 4200);
  CHECK(mimo->layers[0].fc1.rows == 2 * 1280);
}

TEST_CASE("random weights: a seed decides every bit, and narrow dtypes round the same values") {
  engine::ModelConfig config;
  config.d_model = 64;
  config.d_intermediate = 32;
  config.n_layer = 2;
  config.vocab_size = 30;
  config.d_state = 16;
  config.headdim = 32;
  config.tie_embeddings = false;
  const auto a = engine::make_random_weights(config, kernels::DType::f32, 7);
  const auto b = engine::make_random_weights(config, kernels::DType::f32, 7);
  const auto c = engine::make_random_weights(config, kernels::DType::f32, 8);
  const auto half = engine::make_random_weights(config, kernels::DType::f16, 7);
  REQUIRE(a.has_value());
  REQUIRE(half.has_value());
  const auto bytes = a->layers[1].in_proj.bytes();
  CHECK(tests::same_bytes(a->layers[1].in_proj.data, b->layers[1].in_proj.data, bytes));
  CHECK_FALSE(tests::same_bytes(a->layers[1].in_proj.data, c->layers[1].in_proj.data, bytes));
  CHECK(a->layers[0].dt_bias == b->layers[0].dt_bias);
  CHECK_FALSE(tests::same_bytes(a->head.data, a->embedding.data, a->head.bytes()));

  const auto* wide = static_cast<const float*>(a->layers[0].fc1.data);
  const auto* narrow = static_cast<const _Float16*>(half->layers[0].fc1.data);
  for (int i = 0; i < a->layers[0].fc1.rows * a->layers[0].fc1.cols; ++i) {
    REQUIRE(narrow[i] == static_cast<_Float16>(wide[i]));
  }
  double sum = 0;
  double squares = 0;
  const auto* e = static_cast<const float*>(a->embedding.data);
  const int count = a->embedding.rows * a->embedding.cols;
  for (int i = 0; i < count; ++i) {
    sum += e[i];
    squares += static_cast<double>(e[i]) * e[i];
  }
  CHECK(std::fabs(sum / count) < 0.002);  // 4.4 standard errors of a mean of 2048 draws with deviation 0.02
  CHECK(std::sqrt(squares / count) == doctest::Approx(0.02).epsilon(0.05));
}

TEST_CASE("random weights: planned ones know every matrix, and drawing them gives the same bits") {
  engine::ModelConfig config;
  config.d_model = 32;
  config.d_intermediate = 32;
  config.n_layer = 3;
  config.vocab_size = 30;
  config.d_state = 16;
  config.headdim = 32;
  for (const bool tied : {true, false}) {
    config.tie_embeddings = tied;
    const auto made = engine::make_random_weights(config, kernels::DType::bf16, 7);
    auto planned = engine::plan_random_weights(config, kernels::DType::bf16, 7);
    REQUIRE(planned.has_value());
    CHECK(planned->parameters == made->parameters);
    CHECK(planned->layers[2].b_bias == made->layers[2].b_bias);
    CHECK(planned->layers[2].fc2.data == nullptr);
    CHECK(engine::random_fills(*planned).size() == (tied ? 13 : 14));
    CHECK(engine::random_fills(*made).empty());
    // Whoever computes on the host must have them drawn.
    engine::BackendOptions options;
    options.choice = engine::BackendChoice::cpu;
    const auto refused = engine::make_backend(*planned, options);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == engine::ErrorKind::input);

    const auto drawn = engine::draw_on_host(std::move(*planned));
    REQUIRE(drawn.has_value());
    CHECK_FALSE(drawn->seed_to_draw.has_value());
    CHECK(tests::same_bytes(drawn->head.data, made->head.data, made->head.bytes()));
    CHECK((drawn->head.data == drawn->embedding.data) == tied);
    const auto& layer = made->layers[2];
    CHECK(tests::same_bytes(drawn->layers[2].fc2.data, layer.fc2.data, layer.fc2.bytes()));
    CHECK(engine::make_backend(*drawn, options).has_value());
  }
}

TEST_CASE("random weights: an element is what it was, on every machine") {
  const kernels::RandomFill normal{kernels::RandomFill::Kind::normal, 0.02, 77};
  const kernels::RandomFill uniform{kernels::RandomFill::Kind::uniform, 0.5, 77};
  CHECK(normal(0) == 0x1.574f4ep-6F);
  CHECK(normal(1'000'000'007) == 0x1.2f4dc2p-5F);
  CHECK(uniform(0) == -0x1.da7342p-4F);
  CHECK(uniform(1'000'000'007) == 0x1.5a6b18p-2F);
}

TEST_CASE("random weights: unsupported shapes are input errors that name the field") {
  const auto message = [](auto change) {
    engine::ModelConfig config;
    config.d_model = 64;
    config.n_layer = 1;
    config.vocab_size = 16;
    change(config);
    const auto made = engine::make_random_weights(config, kernels::DType::f32, 1);
    if (made.has_value()) return std::string();
    CHECK(made.error().kind == engine::ErrorKind::input);
    return made.error().message;
  };
  CHECK(message([](auto&) {}).empty());
  CHECK(message([](auto& c) { c.headdim = 4; }).find("headdim") != std::string::npos);
  CHECK(message([](auto& c) { c.headdim = 48; }).find("headdim") != std::string::npos);
  CHECK(message([](auto& c) { c.d_state = 12; }).find("d_state") != std::string::npos);
  CHECK(message([](auto& c) { c.d_state = 264; }).find("d_state") != std::string::npos);
  CHECK(message([](auto& c) { c.rope_fraction = 0.75; }).find("rope_fraction") != std::string::npos);
  CHECK(message([](auto& c) { c.ngroups = 3; }).find("ngroups") != std::string::npos);
  CHECK(message([](auto& c) { c.is_mimo = true, c.mimo_rank = 9; }).find("mimo_rank") != std::string::npos);
  CHECK(message([](auto& c) { c.n_layer = 0; }).find("n_layer") != std::string::npos);
}
