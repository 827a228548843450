// The errors of a step on the device: the kernel against its twin in double, whole models of both variants against the
// analysis of what they left.
#include "engine/verify/errors.h"

#include "engine/backend/cuda_backend.h"
#include "engine/model/random_weights.h"
#include "kernels/device/launch.h"
#include "kernels/reference/reference.h"
#include "tests/gpu/open_backend.h"
#include "tests/gpu/shapes.h"
#include "tests/gpu/twin.h"
#include "tests/support/bits.h"

#include <algorithm>
#include <memory>
#include <vector>

using namespace gpu_test;

namespace {

constexpr int layers = 2;

// One kernel call takes all layers; its twin takes them one by one.
struct Case {
  Shape shape;
  int batch;
  Twin dt, a, lambda, turn, k, x, k_before, x_before, errors;
  Weight mimo_x;

  static std::size_t count(std::initializer_list<int> sizes) {
    std::size_t all = 1;
    for (const int size : sizes) all *= static_cast<std::size_t>(size);
    return all;
  }

  Case(const Shape& s, int b, float dt_scale, Random& random)
      : shape(s),
        batch(b),
        dt(random.values(count({layers, b, s.heads}), 0.01F * dt_scale, dt_scale)),
        a(random.values(count({layers, b, s.heads}), -1.5F, -0.001F)),
        lambda(random.values(count({layers, b, s.heads}), 0.02F, 0.98F)),
        turn(random.values(count({layers, b, s.angles()}), -3.14F, 3.14F)),
        k(random.values(count({layers, b, s.rank, s.heads, s.d_state}), -2, 2)),
        x(random.values(count({layers, b, s.heads, s.headdim}), -2, 2)),
        k_before(random.values(count({layers, b, s.rank, s.heads, s.d_state}), -2, 2)),
        x_before(random.values(count({layers, b, s.heads, s.headdim}), -2, 2)),
        errors(Twin::output(count({layers, b, s.heads, kernels::errors_per_head}))),
        mimo_x(random.values(count({layers, s.heads, s.rank, s.headdim}), -1, 1)) {}

  template <class On>
  kernels::DiscretisationErrorsArgs<typename On::Type> args(On on, int layer) {
    const auto heads = static_cast<std::size_t>(layer) * count({batch, shape.heads});
    const auto keys = static_cast<std::size_t>(layer) * count({batch, shape.rank, shape.heads, shape.d_state});
    const auto values = static_cast<std::size_t>(layer) * count({batch, shape.heads, shape.headdim});
    kernels::DiscretisationErrorsArgs<typename On::Type> out;
    out.batch = batch;
    out.heads = shape.heads;
    out.headdim = shape.headdim;
    out.d_state = shape.d_state;
    out.rank = shape.rank;
    out.angles = shape.angles();
    out.half_pairs = shape.mimo;
    out.coefficient_stride = count({batch, shape.heads});
    out.dt = on(dt) + heads;
    out.a = on(a) + heads;
    out.lambda = on(lambda) + heads;
    out.turn = on(turn) + static_cast<std::size_t>(layer) * count({batch, shape.angles()});
    const auto mix = static_cast<std::size_t>(layer) * count({shape.heads, shape.rank, shape.headdim});
    out.mimo_x = shape.mimo ? on(mimo_x) + mix : nullptr;
    out.k = on(k) + keys;
    out.x = on(x) + values;
    out.k_before = on(k_before) + keys;
    out.x_before = on(x_before) + values;
    out.errors = on(errors) + heads * kernels::errors_per_head;
    return out;
  }
};

engine::Weights weights_of(int rank, int headdim, int d_state, kernels::DType dtype, double lambda = -1) {
  engine::ModelConfig config;
  config.d_model = 96;
  config.d_intermediate = 64;
  config.n_layer = 3;
  config.vocab_size = 101;
  config.headdim = headdim;
  config.d_state = d_state;
  config.is_mimo = rank > 1;
  config.mimo_rank = rank > 1 ? rank : 4;
  config.lambda_override = lambda;
  auto weights = engine::make_random_weights(config, dtype, 33);
  REQUIRE(weights.has_value());
  return std::move(*weights);
}

engine::BackendOptions options_of(engine::Variant variant, int batch, bool graph) {
  engine::BackendOptions options;
  options.variant = variant;
  options.batch = batch;
  options.graph = graph;
  options.errors = true;
  return options;
}

}  // namespace

TEST_CASE("gpu errors: every shape, steps small and large, the caches take this token") {
  for (const Shape& shape : mixer_shapes()) {
    for (const int batch : {1, 3}) {
      for (const float dt_scale : {1e-3F, 1.0F, 30.0F}) {
        CAPTURE(shape);
        CAPTURE(batch);
        CAPTURE(dt_scale);
        Random random(19);
        Case c(shape, batch, dt_scale, random);
        kernels::DiscretisationErrorsArgs<float> on_device = c.args(OnDevice{}, 0);
        on_device.layers = layers;
        finish(kernels::device::discretisation_errors(on_device, stream().handle(), false));
        for (int l = 0; l < layers; ++l) kernels::reference::discretisation_errors(c.args(OnHost{}, l));
        const std::vector<float> found = c.errors.device.read();
        double worst = 0;
        for (std::size_t i = 0; i < found.size(); ++i) {
          worst = std::max(worst, std::fabs(static_cast<double>(found[i]) - c.errors.host[i]) /
                                      std::max(c.errors.host[i], engine::least_error));
        }
        CHECK(worst <= 1e-5);
        CHECK(tests::same_bits(c.k_before.device.read(), c.k.device.read()));
        CHECK(tests::same_bits(c.x_before.device.read(), c.x.device.read()));
      }
    }
  }
}

TEST_CASE("gpu errors: whole models of both variants, as a graph and launched one by one, are those of the analysis") {
  struct Kind {
    int rank, headdim, d_state;
    kernels::DType dtype;
    double lambda;
  };
  for (const Kind& kind : {Kind{1, 64, 128, kernels::DType::bf16, -1}, Kind{1, 24, 40, kernels::DType::f32, 0.5},
                           Kind{2, 32, 64, kernels::DType::bf16, -1}, Kind{4, 64, 128, kernels::DType::bf16, -1}}) {
    const engine::Weights weights = weights_of(kind.rank, kind.headdim, kind.d_state, kind.dtype, kind.lambda);
    for (const auto variant : {engine::Variant::staged, engine::Variant::fused}) {
      for (const bool graph : {false, true}) {
        for (const int batch : {1, 3, 16}) {  // 16: cuBLASLt where the weights are bf16
          CAPTURE(kind.rank);
          CAPTURE(kind.headdim);
          CAPTURE(static_cast<int>(variant));
          CAPTURE(graph);
          CAPTURE(batch);
          const auto backend = gpu_test::open_backend(weights, options_of(variant, batch, graph));
          CHECK(backend->info().errors);
          const auto& stages = backend->plan().stages;
          CHECK(std::any_of(stages.begin(), stages.end(),
                            [](const engine::Stage& stage) { return stage.kind == engine::StageKind::errors; }));
          const auto report = engine::verify_errors(*backend, weights, 6);
          REQUIRE(report.has_value());
          CAPTURE(report->where);
          CHECK(report->values > 0);
          CHECK(report->worst <= 1e-4);
        }
      }
    }
  }
}

TEST_CASE("gpu errors: restoring brings back the token before; measuring changes no other bit") {
  const engine::Weights weights = weights_of(2, 32, 64, kernels::DType::bf16);
  for (const auto variant : {engine::Variant::staged, engine::Variant::fused}) {
    CAPTURE(static_cast<int>(variant));
    engine::BackendOptions options = options_of(variant, 2, true);
    const auto with = gpu_test::open_backend(weights, options);
    options.errors = false;
    const auto without = gpu_test::open_backend(weights, options);
    const std::vector<int> all = {0, 1, 2};
    engine::SequenceState saved;
    engine::StepErrors found, again;
    for (std::int32_t t = 0; t < 4; ++t) {
      const std::int32_t ids[] = {t, 50 + t};
      REQUIRE(with->step(ids, nullptr).has_value());
      REQUIRE(without->step(ids, nullptr).has_value());
      if (t == 2) REQUIRE(with->read_state(1, all, true, saved).has_value());
    }
    REQUIRE(with->read_errors(1, found).has_value());
    CHECK_FALSE(without->read_errors(1, found).has_value());
    std::vector<float> a(static_cast<std::size_t>(weights.config.padded_vocab())), b(a.size());
    REQUIRE(with->read_logits(1, a).has_value());
    REQUIRE(without->read_logits(1, b).has_value());
    CHECK(tests::same_bits(a, b));
    REQUIRE(with->restore(1, saved).has_value());
    const std::int32_t ids[] = {0, 53};
    REQUIRE(with->step(ids, nullptr).has_value());
    REQUIRE(with->read_errors(1, again).has_value());
    CHECK(tests::same_bits(found.stored, again.stored));
    CHECK(tests::same_bits(found.unrotated, again.unrotated));
  }
}
