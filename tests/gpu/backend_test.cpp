// The CUDA backend against the reference backend over whole models of many shapes; its bits; saving and restoring.
#include "engine/backend/cpu_backend.h"
#include "engine/backend/cuda_backend.h"
#include "engine/backend/reference_backend.h"
#include "engine/intervention/intervention.h"
#include "engine/model/random_weights.h"
#include "engine/verify/twin.h"
#include "kernels/bf16.h"
#include "kernels/device/device_info.h"
#include "tests/gpu/device.h"
#include "tests/gpu/open_backend.h"
#include "tests/gpu/twin.h"
#include "tests/support/bits.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

using engine::ModelConfig;
using engine::Variant;
using kernels::DType;
using tests::same_bits;

namespace {

struct Case {
  const char* name;
  DType dtype;
  ModelConfig config;
};

ModelConfig shape(int d_model, int d_intermediate, int headdim, int d_state) {
  ModelConfig config;
  config.d_model = d_model;
  config.d_intermediate = d_intermediate;
  config.n_layer = 2;
  config.vocab_size = 101;
  config.headdim = headdim;
  config.d_state = d_state;
  return config;
}

// Of every kind that the variant takes.
std::vector<Case> cases(Variant variant) {
  std::vector<Case> all;
  const auto add = [&all](const char* name, DType dtype, const ModelConfig& config) -> ModelConfig& {
    return all.emplace_back(Case{name, dtype, config}).config;
  };
  add("SISO fp32", DType::f32, shape(64, 96, 32, 64));
  add("SISO bf16, no MLP", DType::bf16, shape(96, 0, 64, 128));
  add("SISO fp16, full rotation", DType::f16, shape(40, 30, 16, 24)).rope_fraction = 1.0;
  if (variant == Variant::staged) {
    ModelConfig& c = add("SISO bf16, d_model off 8, untied", DType::bf16, shape(35, 10, 14, 8));
    c.tie_embeddings = false;
    c.pad_vocab_size_multiple = 1;
  }
  add("SISO fp32, groups, softplus", DType::f32, shape(64, 0, 8, 40)).ngroups = 4;
  all.back().config.a_activation = engine::AActivation::softplus;
  add("SISO fp32, output norm, fixed lambda", DType::f32, shape(128, 0, 256, 256)).is_outproj_norm = true;
  all.back().config.lambda_override = 0.5;
  for (const int rank : {1, 2, 4, 8}) {
    ModelConfig& c = add("MIMO bf16", DType::bf16, shape(64, 70, 32, 64));
    c.is_mimo = true;
    c.mimo_rank = rank;
    c.ngroups = rank == 2 ? 2 : 1;
    c.is_outproj_norm = rank == 4;
  }
  for (const int rank : {1, 2, 4}) {
    ModelConfig& c = add("the released heads", DType::bf16, shape(96, 40, 64, 128));
    c.is_mimo = rank > 1;
    c.mimo_rank = rank > 1 ? rank : 4;
    c.tie_embeddings = rank == 1;
  }
  {
    // The mixer's shared memory is just what a block has without asking.
    ModelConfig& c = add("MIMO rank 1, one large head", DType::f32, shape(128, 0, 256, 256));
    c.is_mimo = true;
    c.mimo_rank = 1;
    c.is_outproj_norm = true;
  }
  add("SISO bf16, long rows", DType::bf16, shape(2080, 0, 64, 16)).n_layer = 1;
  all.back().config.is_outproj_norm = true;
  add("SISO fp32, longer rows", DType::f32, shape(2088, 0, 72, 32)).n_layer = 1;
  return all;
}

struct Kind {
  Variant variant;
  DType state;
  Case model;
};

std::vector<Kind> kinds() {
  std::vector<Kind> all;
  for (const auto& [variant, state] :
       {std::pair{Variant::staged, DType::f32}, {Variant::fused, DType::f32}, {Variant::fused, DType::bf16}}) {
    for (const Case& c : cases(variant)) all.push_back({variant, state, c});
  }
  return all;
}

std::vector<int> all_layers(const ModelConfig& config) {
  std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  return layers;
}

// One id per sequence, different in each and at each position.
std::vector<std::int32_t> ids_at(int batch, int position, int vocab) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(batch));
  for (int b = 0; b < batch; ++b) ids[static_cast<std::size_t>(b)] = (position * 37 + b * 11 + 5) % vocab;
  return ids;
}

double max_rel(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double error = std::fabs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
    if (!std::isfinite(error)) return error;
    worst = std::max(worst, error);
    largest = std::max(largest, std::fabs(static_cast<double>(expected[i])));
  }
  return worst == 0 ? 0 : worst / largest;
}

struct Picture {
  std::vector<float> logits;
  engine::StepCoefficients coefficients;
  engine::SequenceState state;
};

Picture read(engine::Backend& backend, const ModelConfig& config, int sequence) {
  Picture picture;
  picture.logits.resize(static_cast<std::size_t>(config.padded_vocab()));
  REQUIRE(backend.read_logits(sequence, picture.logits).has_value());
  REQUIRE(backend.read_coefficients(sequence, picture.coefficients).has_value());
  REQUIRE(backend.read_state(sequence, all_layers(config), true, picture.state).has_value());
  return picture;
}

bool same(const Picture& a, const Picture& b) {
  bool equal = same_bits(a.logits, b.logits) && same_bits(a.coefficients.alpha, b.coefficients.alpha) &&
               same_bits(a.coefficients.turn, b.coefficients.turn) &&
               same_bits(a.coefficients.state_norm, b.coefficients.state_norm) &&
               same_bits(a.coefficients.state_change, b.coefficients.state_change);
  for (std::size_t l = 0; l < a.state.layers.size(); ++l) {
    const engine::LayerState &x = a.state.layers[l], &y = b.state.layers[l];
    equal = equal && same_bits(x.angle, y.angle) && x.turns == y.turns && same_bits(x.ssm, y.ssm) &&
            same_bits(x.k, y.k) && same_bits(x.v, y.v);
  }
  return equal;
}

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, int batch, Variant variant = Variant::staged,
                                      DType state = DType::f32) {
  engine::BackendOptions options;
  options.batch = batch;
  options.variant = variant;
  options.state = state;
  options.products = engine::Products::own;  // a product's bits depend on the batch
  return gpu_test::open_backend(weights, options);
}

}  // namespace

TEST_CASE("gpu backend: whole models of many shapes follow the reference") {
  for (const auto& [variant, state, c] : kinds()) {
    if (state != DType::f32) continue;  // the next test
    CAPTURE(static_cast<int>(variant));
    CAPTURE(kernels::name_of(state));
    CAPTURE(c.name);
    CAPTURE(c.config.rank());
    const auto weights = engine::make_random_weights(c.config, c.dtype, 11);
    REQUIRE(weights.has_value());
    for (const int batch : {1, 3}) {
      CAPTURE(batch);
      const auto backend = open(*weights, batch, variant, state);
      engine::ReferenceBackend reference(*weights, batch);
      const int tokens = gpu_test::small() ? 2 : 12;
      for (int t = 0; t < tokens; ++t) {
        const auto ids = ids_at(batch, t, c.config.vocab_size);
        REQUIRE(backend->step(ids, nullptr).has_value());
        REQUIRE(reference.step(ids, nullptr).has_value());
      }
      CHECK(backend->position() == tokens);
      for (const int sequence : {0, batch - 1}) {
        const Picture found = read(*backend, c.config, sequence);
        const Picture expected = read(reference, c.config, sequence);
        CHECK(max_rel(found.logits, expected.logits) <= 5e-5);
        CHECK(max_rel(found.coefficients.dt, expected.coefficients.dt) <= 1e-5);
        CHECK(max_rel(found.coefficients.a, expected.coefficients.a) <= 1e-5);
        CHECK(max_rel(found.coefficients.lambda, expected.coefficients.lambda) <= 1e-5);
        CHECK(max_rel(found.coefficients.alpha, expected.coefficients.alpha) <= 1e-5);
        CHECK(max_rel(found.coefficients.beta, expected.coefficients.beta) <= 1e-5);
        CHECK(max_rel(found.coefficients.gamma, expected.coefficients.gamma) <= 1e-5);
        CHECK(max_rel(found.coefficients.turn, expected.coefficients.turn) <= 2e-5);
        CHECK(max_rel(found.coefficients.state_norm, expected.coefficients.state_norm) <= 2e-5);
        CHECK(max_rel(found.coefficients.state_change, expected.coefficients.state_change) <= 2e-5);
        for (std::size_t l = 0; l < found.state.layers.size(); ++l) {
          CHECK(max_rel(found.state.layers[l].ssm, expected.state.layers[l].ssm) <= 5e-5);
          CHECK(max_rel(found.state.layers[l].k, expected.state.layers[l].k) <= 5e-5);
          CHECK(max_rel(found.state.layers[l].v, expected.state.layers[l].v) <= 5e-5);
        }
      }
    }
  }
}

TEST_CASE("gpu backend: with a bf16 state whole models follow the CPU step by step, but for its rounding") {
  for (const auto& [variant, state, c] : kinds()) {
    if (state != DType::bf16) continue;
    CAPTURE(c.name);
    CAPTURE(c.config.rank());
    const auto weights = engine::make_random_weights(c.config, c.dtype, 18);
    REQUIRE(weights.has_value());
    engine::CpuBackend twin(*weights, 1, 0);
    const std::size_t narrow = static_cast<std::size_t>(2 * c.config.n_layer * c.config.d_inner() * c.config.d_state);
    for (const int batch : {1, 3}) {
      CAPTURE(batch);
      const auto backend = open(*weights, batch, variant, state);
      CHECK(backend->info().state == "bf16");
      CHECK(backend->info().state_bytes + narrow == twin.info().state_bytes);
      const auto report = engine::compare_with_twin(*backend, twin, c.config, gpu_test::small() ? 2 : 12);
      REQUIRE(report.has_value());
      CHECK(report->step_by_step);
      CAPTURE(report->where);
      CAPTURE(report->worst);
      CHECK(report->pass(5e-5));
    }
  }
}

TEST_CASE("gpu backend: a bf16 state takes the nearest of an fp32 state's values, and one of its own as it is") {
  const ModelConfig config = shape(64, 0, 32, 64);
  const auto weights = engine::make_random_weights(config, DType::bf16, 19);
  REQUIRE(weights.has_value());
  const auto wide = open(*weights, 1, Variant::fused);
  for (int t = 0; t < 3; ++t) REQUIRE(wide->step(ids_at(1, t, 101), nullptr).has_value());
  Picture saved = read(*wide, config, 0);
  const auto narrow = open(*weights, 2, Variant::fused, DType::bf16);
  REQUIRE(narrow->restore(1, saved.state).has_value());
  int changed = 0;
  for (engine::LayerState& layer : saved.state.layers) {
    for (float& value : layer.ssm) {
      const float rounded = kernels::widen_bf16(kernels::round_to_bf16(value));
      changed += rounded == value ? 0 : 1;
      value = rounded;
    }
  }
  CHECK(changed > 1000);
  engine::SequenceState found;
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(narrow->read_state(1, all_layers(config), true, found).has_value());
    for (std::size_t l = 0; l < found.layers.size(); ++l) {
      CHECK(same_bits(found.layers[l].ssm, saved.state.layers[l].ssm));
      CHECK(same_bits(found.layers[l].k, saved.state.layers[l].k));  // the caches are fp32
    }
    REQUIRE(narrow->restore(1, found).has_value());
  }
  engine::BackendOptions staged;
  staged.state = DType::bf16;
  const auto refused = engine::make_cuda_backend(*weights, staged);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == engine::ErrorKind::input);
}

TEST_CASE("gpu backend: the bits depend on the sequence alone: not on the run, the batch or the place in it") {
  for (const auto& [variant, state, c] : kinds()) {
    CAPTURE(static_cast<int>(variant));
    CAPTURE(kernels::name_of(state));
    CAPTURE(c.name);
    CAPTURE(c.config.rank());
    const auto weights = engine::make_random_weights(c.config, c.dtype, 12);
    REQUIRE(weights.has_value());
    const int tokens = 4;
    const auto run = [&](int batch, int place) {
      const auto backend = open(*weights, batch, variant, state);
      for (int t = 0; t < tokens; ++t) {
        auto ids = ids_at(batch, t + 1, c.config.vocab_size);
        ids[static_cast<std::size_t>(place)] = ids_at(1, t, c.config.vocab_size)[0];
        REQUIRE(backend->step(ids, nullptr).has_value());
      }
      return read(*backend, c.config, place);
    };
    const Picture alone = run(1, 0);
    CHECK(same(run(1, 0), alone));
    CHECK(same(run(4, 2), alone));
    CHECK(same(run(9, 8), alone));
    if (!gpu_test::small()) CHECK(same(run(130, 77), alone));
  }
}

TEST_CASE("gpu backend: a restored state gives the bits that followed the save, in another place of another batch") {
  for (const auto& [variant, state, c] : kinds()) {
    CAPTURE(static_cast<int>(variant));
    CAPTURE(kernels::name_of(state));
    CAPTURE(c.name);
    CAPTURE(c.config.rank());
    const auto weights = engine::make_random_weights(c.config, c.dtype, 13);
    REQUIRE(weights.has_value());
    const auto first = open(*weights, 1, variant, state);
    for (int t = 0; t < 3; ++t) REQUIRE(first->step(ids_at(1, t, 101), nullptr).has_value());
    engine::SequenceState saved;
    REQUIRE(first->read_state(0, all_layers(c.config), true, saved).has_value());
    CHECK(saved.position == 3);
    for (int t = 3; t < 5; ++t) REQUIRE(first->step(ids_at(1, t, 101), nullptr).has_value());
    const Picture expected = read(*first, c.config, 0);

    const auto other = open(*weights, 3, variant, state);
    REQUIRE(other->step(ids_at(3, 50, 101), nullptr).has_value());
    REQUIRE(other->restore(1, saved).has_value());
    CHECK(other->position() == 3);
    for (int t = 3; t < 5; ++t) {
      auto ids = ids_at(3, 60 + t, 101);
      ids[1] = ids_at(1, t, 101)[0];
      REQUIRE(other->step(ids, nullptr).has_value());
    }
    CHECK(same(read(*other, c.config, 1), expected));

    REQUIRE(other->reset().has_value());
    CHECK(other->position() == 0);
    const Picture cleared = read(*other, c.config, 2);
    CHECK(std::all_of(cleared.logits.begin(), cleared.logits.end(), [](float v) { return v == 0; }));
    CHECK(std::all_of(cleared.state.layers[0].ssm.begin(), cleared.state.layers[0].ssm.end(),
                      [](float v) { return v == 0; }));
  }
}

TEST_CASE("gpu backend: some layers, without the matrix state") {
  ModelConfig config = shape(32, 0, 16, 16);
  config.n_layer = 5;
  const auto weights = engine::make_random_weights(config, DType::f32, 14);
  REQUIRE(weights.has_value());
  const auto backend = open(*weights, 2);
  REQUIRE(backend->step(ids_at(2, 0, 101), nullptr).has_value());
  const Picture all = read(*backend, config, 1);
  engine::SequenceState some;
  const std::vector<int> chosen{0, 2, 3};
  REQUIRE(backend->read_state(1, chosen, false, some).has_value());
  REQUIRE(some.layers.size() == 5);
  for (const int l : chosen) {
    const engine::LayerState &found = some.layers[static_cast<std::size_t>(l)],
                             &expected = all.state.layers[static_cast<std::size_t>(l)];
    CHECK(same_bits(found.angle, expected.angle));
    CHECK(found.turns == expected.turns);
    CHECK(same_bits(found.k, expected.k));
    CHECK(same_bits(found.v, expected.v));
    CHECK(found.ssm.empty());
  }
  CHECK(some.layers[1].angle.empty());
  CHECK(some.layers[4].angle.empty());
}

TEST_CASE("gpu backend: wrong input is an input error and changes nothing") {
  const ModelConfig config = shape(32, 0, 16, 16);
  const auto weights = engine::make_random_weights(config, DType::f32, 15);
  REQUIRE(weights.has_value());
  const auto backend = open(*weights, 2);
  REQUIRE(backend->step(ids_at(2, 0, 101), nullptr).has_value());
  const Picture before = read(*backend, config, 0);
  const auto refused = [](const engine::Result<void>& result) {
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().kind == engine::ErrorKind::input);
  };
  refused(backend->step(ids_at(1, 0, 101), nullptr));
  refused(backend->step(std::vector<std::int32_t>{3, 101}, nullptr));
  refused(backend->step(std::vector<std::int32_t>{-1, 0}, nullptr));
  std::vector<float> logits(3);
  refused(backend->read_logits(0, logits));
  engine::SequenceState state;
  refused(backend->read_state(2, std::vector<int>{0}, false, state));
  refused(backend->read_state(0, std::vector<int>{2}, false, state));
  REQUIRE(backend->read_state(0, std::vector<int>{0, 1}, false, state).has_value());
  refused(backend->restore(0, state));  // without the matrix state
  CHECK(backend->position() == 1);
  CHECK(same(read(*backend, config, 0), before));
}

// Matrix products by cuBLASLt, where there is one, or by what the device has.
static void follow_with_products(engine::Products products) {
  for (const Case& c : cases(Variant::fused)) {
    const auto weights = engine::make_random_weights(c.config, c.dtype, 18);
    REQUIRE(weights.has_value());
    engine::BackendOptions options;
    options.batch = 13;
    options.variant = Variant::fused;
    options.products = products;
    auto backend = engine::make_cuda_backend(*weights, options);
    CAPTURE(c.name);
    CAPTURE(c.config.rank());
    if (c.dtype != DType::bf16) {
      if (products == engine::Products::automatic) continue;
      REQUIRE_FALSE(backend.has_value());
      CHECK(backend.error().kind == engine::ErrorKind::input);
      continue;
    }
    if (!backend) {
      MESSAGE("skipped: " << backend.error().message);
      return;
    }
    const auto device = kernels::query_device();
    const bool own = products == engine::Products::automatic && device && device->major == 9;
    CHECK((*backend)->info().products == (own ? "tensor cores" : "cublasLt"));
    engine::ReferenceBackend reference(*weights, options.batch);
    const int tokens = gpu_test::small() ? 2 : 8;
    for (int t = 0; t < tokens; ++t) {
      const auto ids = ids_at(options.batch, t, c.config.vocab_size);
      REQUIRE((*backend)->step(ids, nullptr).has_value());
      REQUIRE(reference.step(ids, nullptr).has_value());
    }
    for (const int sequence : {0, options.batch - 1}) {
      const Picture found = read(**backend, c.config, sequence);
      const Picture expected = read(reference, c.config, sequence);
      CHECK(max_rel(found.logits, expected.logits) <= 1e-4);
      CHECK(max_rel(found.coefficients.turn, expected.coefficients.turn) <= 1e-4);
      for (std::size_t l = 0; l < found.state.layers.size(); ++l) {
        CHECK(max_rel(found.state.layers[l].ssm, expected.state.layers[l].ssm) <= 1e-4);
        CHECK(max_rel(found.state.layers[l].k, expected.state.layers[l].k) <= 1e-4);
      }
    }
  }
}

TEST_CASE("gpu backend: with matrix products by cuBLASLt, where there is one, whole models follow the reference") {
  follow_with_products(engine::Products::library);
}

TEST_CASE("gpu backend: with the matrix products that the device has, whole models follow the reference") {
  follow_with_products(engine::Products::automatic);
}

TEST_CASE("gpu backend: the fused variant names a matrix that it does not take") {
  const auto weights = engine::make_random_weights(shape(35, 10, 14, 8), DType::bf16, 17);
  REQUIRE(weights.has_value());
  engine::BackendOptions options;
  options.variant = Variant::fused;
  const auto backend = engine::make_cuda_backend(*weights, options);
  REQUIRE_FALSE(backend.has_value());
  CHECK(backend.error().kind == engine::ErrorKind::input);
  CHECK(backend.error().message.find("in_proj") != std::string::npos);
}

TEST_CASE("gpu backend: an observer sees every stage once, in the plan's order") {
  struct Log : engine::Observer {
    std::vector<int> seen;
    int begun = 0, ended = 0, open = -1;
    void step_begin(std::int64_t token) override { begun += token == 0 ? 1 : 100; }
    void before(const engine::Stage& stage) override { open = stage.id; }
    void after(const engine::Stage& stage) override {
      CHECK(open == stage.id);
      seen.push_back(stage.id);
    }
    void step_end(std::int64_t token) override { ended += token == 0 ? 1 : 100; }
  } log;
  const ModelConfig config = shape(32, 40, 16, 16);
  const auto weights = engine::make_random_weights(config, DType::bf16, 16);
  REQUIRE(weights.has_value());
  for (const Variant variant : {Variant::staged, Variant::fused}) {
    log = {};
    const auto backend = open(*weights, 1, variant);
    CHECK(backend->plan().variant == (variant == Variant::fused ? "fused" : "staged"));
    REQUIRE(backend->step(ids_at(1, 0, 101), &log).has_value());
    std::vector<int> expected(backend->plan().stages.size());
    std::iota(expected.begin(), expected.end(), 0);
    CHECK(log.seen == expected);
    CHECK(log.begun == 1);
    CHECK(log.ended == 1);
    CHECK(backend->info().is_gpu);
    CHECK(backend->info().weight_bytes > 0);
  }
}

TEST_CASE("gpu backend: a lambda fixed for one sequence is that of a model with it, in every variant and as a graph") {
  const ModelConfig config = shape(64, 96, 32, 64);
  const auto own = engine::make_random_weights(config, DType::bf16, 17);
  REQUIRE(own.has_value());
  const auto fixed_lambda = [&](double lambda) {
    engine::Intervention fixed;
    fixed.quantity = engine::Quantity::lambda;
    fixed.operation = engine::Operation::set;
    fixed.value = lambda;
    return engine::changes_at({&fixed, 1}, config, 0);
  };
  for (const engine::Variant variant : {engine::Variant::staged, engine::Variant::fused}) {
    for (const bool graph : {false, true}) {
      CAPTURE(graph);
      CAPTURE(static_cast<int>(variant));
      engine::BackendOptions options;
      options.variant = variant;
      options.graph = graph;
      options.products = engine::Products::own;
      const auto make = [&options](const engine::Weights& weights, int batch) {
        options.batch = batch;
        auto backend = engine::make_cuda_backend(weights, options);
        REQUIRE(backend.has_value());
        return std::move(*backend);
      };
      const auto step = [](engine::Backend& backend, std::size_t batch, int position) {
        REQUIRE(backend.step(std::vector<std::int32_t>(batch, (7 * position + 3) % 101), nullptr).has_value());
      };
      const auto batched = make(*own, 3);
      step(*batched, 3, 0);  // a graph is recorded before lambda is fixed
      REQUIRE(batched->intervene(1, fixed_lambda(1.0)).has_value());
      REQUIRE(batched->intervene(2, fixed_lambda(0.5)).has_value());
      REQUIRE(batched->reset().has_value());
      for (int t = 0; t < 4; ++t) step(*batched, 3, t);
      for (int sequence = 0; sequence < 3; ++sequence) {
        CAPTURE(sequence);
        engine::Weights fixed = *own;
        fixed.config.lambda_override = sequence == 0 ? -1 : sequence == 1 ? 1.0 : 0.5;
        const auto alone = make(fixed, 1);
        for (int t = 0; t < 4; ++t) step(*alone, 1, t);
        CHECK(same(read(*batched, config, sequence), read(*alone, config, 0)));
      }
      REQUIRE(batched->intervene(1, {}).has_value());
      REQUIRE(batched->reset().has_value());
      for (int t = 0; t < 4; ++t) step(*batched, 3, t);
      CHECK(same(read(*batched, config, 1), read(*batched, config, 0)));
    }
  }
}
