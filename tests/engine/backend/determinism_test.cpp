// Bits: a sequence's logits, state and coefficients depend on its tokens only.
#include "engine/backend/cpu_backend.h"
#include "engine/model/random_weights.h"
#include "tests/support/bits.h"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

using tests::same_bits;

namespace {

engine::ModelConfig config_of(bool mimo) {
  engine::ModelConfig config;
  config.d_model = 160;  // large enough that the stages are divided among threads
  config.d_intermediate = 300;
  config.n_layer = 2;
  config.vocab_size = 501;
  config.d_state = 72;
  config.headdim = 40;
  config.is_mimo = mimo;
  config.mimo_rank = 3;
  config.is_outproj_norm = mimo;
  return config;
}

struct Trace {
  std::vector<float> logits;  // of every step
  engine::SequenceState state;
  engine::StepCoefficients coefficients;
};

bool same(const Trace& a, const Trace& b) {
  bool equal = same_bits(a.logits, b.logits) && a.state.position == b.state.position;
  for (std::size_t l = 0; l < a.state.layers.size(); ++l) {
    const engine::LayerState& x = a.state.layers[l];
    const engine::LayerState& y = b.state.layers[l];
    equal = equal && same_bits(x.angle, y.angle) && x.turns == y.turns && same_bits(x.ssm, y.ssm) &&
            same_bits(x.k, y.k) && same_bits(x.v, y.v);
  }
  const engine::StepCoefficients& c = a.coefficients;
  const engine::StepCoefficients& d = b.coefficients;
  return equal && same_bits(c.dt, d.dt) && same_bits(c.a, d.a) && same_bits(c.lambda, d.lambda) &&
         same_bits(c.alpha, d.alpha) && same_bits(c.beta, d.beta) && same_bits(c.gamma, d.gamma) &&
         same_bits(c.turn, d.turn) && same_bits(c.state_norm, d.state_norm) &&
         same_bits(c.state_change, d.state_change);
}

// Steps `tokens` tokens from `first` on in one place of the batch; the others get other tokens.
Trace run(engine::Backend& backend, int place, int first, int tokens) {
  const engine::ModelConfig config = config_of(false);
  std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  Trace trace;
  std::vector<float> logits(static_cast<std::size_t>(config.padded_vocab()));
  for (int t = first; t < first + tokens; ++t) {
    std::vector<std::int32_t> ids(static_cast<std::size_t>(backend.plan().batch));
    for (std::size_t b = 0; b < ids.size(); ++b)
      ids[b] = static_cast<std::int32_t>((static_cast<std::size_t>(t) * 31 + b * 7 + 1) % 501);
    ids[static_cast<std::size_t>(place)] = (t * 53 + 11) % 501;
    REQUIRE(backend.step(ids, nullptr).has_value());
    REQUIRE(backend.read_logits(place, logits).has_value());
    trace.logits.insert(trace.logits.end(), logits.begin(), logits.end());
  }
  REQUIRE(backend.read_state(place, layers, true, trace.state).has_value());
  REQUIRE(backend.read_coefficients(place, trace.coefficients).has_value());
  return trace;
}

}  // namespace

TEST_CASE("bits do not depend on the batch, the place in it, the threads or the run") {
  for (const bool mimo : {false, true}) {
    const auto dtype = mimo ? kernels::DType::bf16 : kernels::DType::f32;
    const auto weights = engine::make_random_weights(config_of(mimo), dtype, 4);
    REQUIRE(weights.has_value());
    for (const kernels::cpu::Table* table : kernels::cpu::tables()) {
      CAPTURE(table->name);
      engine::CpuBackend alone(*weights, 1, 1, table);
      const Trace expected = run(alone, 0, 0, 6);
      for (const int threads : {1, 2, 3}) {
        for (const int batch : {1, 3, 8}) {
          engine::CpuBackend backend(*weights, batch, threads, table);
          CAPTURE(threads);
          CAPTURE(batch);
          CHECK(same(run(backend, batch - 1, 0, 6), expected));
          REQUIRE(backend.reset().has_value());
          CHECK(backend.position() == 0);
          CHECK(same(run(backend, 0, 0, 6), expected));
        }
      }
    }
  }
}

TEST_CASE("save and restore: the bits that followed the save follow again, also in another batch") {
  for (const bool mimo : {false, true}) {
    const auto weights = engine::make_random_weights(config_of(mimo), kernels::DType::f32, 4);
    REQUIRE(weights.has_value());
    engine::CpuBackend backend(*weights, 2, 2);
    const Trace before = run(backend, 1, 0, 5);
    const Trace after = run(backend, 1, 5, 4);
    REQUIRE(backend.restore(1, before.state).has_value());
    CHECK(backend.position() == 5);
    CHECK(same(run(backend, 1, 5, 4), after));

    engine::CpuBackend other(*weights, 3, 1);
    REQUIRE(other.restore(2, before.state).has_value());
    CHECK(same(run(other, 2, 5, 4), after));
  }
}

TEST_CASE("backend: wrong input is an error that changes nothing") {
  const auto weights = engine::make_random_weights(config_of(false), kernels::DType::f32, 4);
  REQUIRE(weights.has_value());
  auto backend = engine::make_backend(*weights, {engine::BackendChoice::cpu, 2, 1});
  REQUIRE(backend.has_value());
  const auto refused = [&](std::vector<std::int32_t> ids) {
    const auto step = (*backend)->step(ids, nullptr);
    REQUIRE_FALSE(step.has_value());
    CHECK(step.error().kind == engine::ErrorKind::input);
    CHECK((*backend)->position() == 0);
  };
  refused({1});
  refused({1, 2, 3});
  refused({1, -1});
  refused({501, 1});  // padding is no token

  std::vector<float> logits(7);
  CHECK_FALSE((*backend)->read_logits(0, logits).has_value());
  logits.resize(static_cast<std::size_t>(weights->config.padded_vocab()));
  CHECK_FALSE((*backend)->read_logits(2, logits).has_value());
  CHECK_FALSE((*backend)->read_logits(-1, logits).has_value());

  engine::SequenceState state;
  const int layers[] = {0, 1};
  const int missing[] = {2};
  CHECK_FALSE((*backend)->read_state(0, missing, true, state).has_value());
  REQUIRE((*backend)->read_state(0, layers, false, state).has_value());
  CHECK(state.layers[0].ssm.empty());
  CHECK_FALSE((*backend)->restore(0, state).has_value());  // without the matrix state
  REQUIRE((*backend)->read_state(0, layers, true, state).has_value());
  state.layers[1].k.pop_back();
  CHECK_FALSE((*backend)->restore(0, state).has_value());

  CHECK_FALSE(engine::make_backend(*weights, {engine::BackendChoice::cpu, 0, 1}).has_value());
  engine::Weights unsupported = *weights;
  unsupported.config.headdim = 4;
  CHECK_FALSE(engine::make_backend(unsupported, {engine::BackendChoice::cpu, 1, 1}).has_value());
  auto reference = engine::make_backend(*weights, {engine::BackendChoice::reference, 1, 1});
  REQUIRE(reference.has_value());
  CHECK_FALSE((*reference)->restore(0, state).has_value());
}
