// Publishing on the device: the bits of the synchronous reads, every step once and in order, whatever runs meanwhile.
#include "engine/backend/cuda_backend.h"
#include "engine/bench/publishing.h"
#include "engine/model/random_weights.h"
#include "kernels/device/gather.h"
#include "tests/gpu/device.h"
#include "tests/gpu/open_backend.h"
#include "tests/support/bits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

using engine::Published;
using engine::Variant;
using kernels::DType;

namespace {

// Off the multiples of 16 bytes where it can: angles, turns and logits of odd sizes.
engine::Weights weights_of(int rank) {
  engine::ModelConfig config;
  config.d_model = 64;
  config.d_intermediate = 96;
  config.n_layer = 3;
  config.vocab_size = 101;
  config.pad_vocab_size_multiple = 1;
  config.headdim = 32;
  config.d_state = 24;
  config.is_mimo = rank > 1;
  config.mimo_rank = rank > 1 ? rank : 4;
  auto weights = engine::make_random_weights(config, DType::bf16, 23);
  REQUIRE(weights.has_value());
  return std::move(*weights);
}

struct Case {
  Variant variant;
  DType state;
  bool graph;
  int rank, batch;
};

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, const Case& c) {
  engine::BackendOptions options;
  options.batch = c.batch;
  options.graph = c.graph;
  options.variant = c.variant;
  options.state = c.state;
  return gpu_test::open_backend(weights, options);
}

const std::vector<Case> cases = {{Variant::staged, DType::f32, false, 1, 1}, {Variant::staged, DType::f32, true, 4, 3},
                                 {Variant::fused, DType::f32, true, 1, 1},   {Variant::fused, DType::f32, false, 4, 3},
                                 {Variant::fused, DType::bf16, true, 4, 1},  {Variant::fused, DType::bf16, true, 1, 5}};

std::vector<std::int32_t> ids_at(int batch, int position) {
  std::vector<std::int32_t> ids;
  for (int b = 0; b < batch; ++b) ids.push_back((position * 37 + b * 11 + 5) % 101);
  return ids;
}

}  // namespace

TEST_CASE("gpu gather: pieces apart become dense, in quads and in words, and nothing beside them is written") {
  std::vector<std::uint32_t> values(100003);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint32_t>(i) * 2654435761U;
  const gpu_test::Array<std::uint32_t> from(values);
  struct Piece {
    std::size_t first, pitch, width, rows;  // in words
  };
  const std::vector<Piece> pieces = {{0, 40, 8, 100}, {4, 4, 4, 1},   {7, 33, 5, 999}, {8, 90000, 90000, 1},
                                     {3, 3, 3, 1},    {16, 12, 4, 3}, {1, 17, 17, 40}};
  kernels::device::GatherArgs args;
  std::vector<std::uint32_t> expected;
  for (const Piece& piece : pieces) {
    args.pieces[static_cast<std::size_t>(args.count++)] = {from.data() + piece.first, 4 * piece.pitch, 4 * piece.width,
                                                           piece.rows, 4 * expected.size()};
    for (std::size_t row = 0; row < piece.rows; ++row) {
      for (std::size_t i = 0; i < piece.width; ++i) expected.push_back(values[piece.first + row * piece.pitch + i]);
    }
    while (expected.size() % 4 != 0) expected.push_back(0xA5A5A5A5U);
  }
  for (int i = 0; i < 64; ++i) expected.push_back(0xA5A5A5A5U);
  for (const int multiprocessors : {1, 132}) {
    const gpu_test::Array<std::uint32_t> to(std::vector<std::uint32_t>(expected.size(), 0xA5A5A5A5U));
    gpu_test::finish(kernels::device::gather(args, to.data(), multiprocessors, gpu_test::stream().handle()));
    CHECK(to.read() == expected);
  }
}

TEST_CASE("gpu publish: single steps hand over the second step before, and the end what is left") {
  for (const Case& c : cases) {
    CAPTURE(static_cast<int>(c.variant));
    CAPTURE(kernels::name_of(c.state));
    CAPTURE(c.batch);
    const engine::Weights weights = weights_of(c.rank);
    const auto publishing = open(weights, c);
    const auto reading = open(weights, c);
    const int sequence = c.batch - 1, layer = 1, tokens = 6;
    std::vector<Published> seen;
    REQUIRE(publishing->publish({sequence, layer, [&](const Published& step) { seen.push_back(step); }}).has_value());
    for (int t = 0; t < tokens; ++t) {
      REQUIRE(publishing->step(ids_at(c.batch, t), nullptr).has_value());
      CHECK(seen.size() == static_cast<std::size_t>(std::max(0, t - 1)));
    }
    REQUIRE(publishing->publish({}).has_value());
    REQUIRE(seen.size() == static_cast<std::size_t>(tokens));
    for (int t = 0; t < tokens; ++t) {
      CAPTURE(t);
      REQUIRE(reading->step(ids_at(c.batch, t), nullptr).has_value());
      const Published& step = seen[static_cast<std::size_t>(t)];
      CHECK(step.position == t + 1);
      std::vector<float> logits(step.logits.size());
      engine::StepCoefficients coefficients;
      engine::SequenceState state;
      const std::vector<int> layers = {layer};
      REQUIRE(reading->read_logits(sequence, logits).has_value());
      REQUIRE(reading->read_coefficients(sequence, coefficients).has_value());
      REQUIRE(reading->read_state(sequence, layers, true, state).has_value());
      const engine::LayerState& expected = state.layers[static_cast<std::size_t>(layer)];
      CHECK(tests::same_bits(step.logits, logits));
      CHECK(tests::same_bits(step.coefficients.dt, coefficients.dt));
      CHECK(tests::same_bits(step.coefficients.gamma, coefficients.gamma));
      CHECK(tests::same_bits(step.coefficients.turn, coefficients.turn));
      CHECK(tests::same_bits(step.coefficients.state_change, coefficients.state_change));
      CHECK(tests::same_bits(step.layer.angle, expected.angle));
      CHECK(step.layer.turns == expected.turns);
      CHECK(tests::same_bits(step.layer.k, expected.k));
      CHECK(tests::same_bits(step.layer.v, expected.v));
      CHECK(tests::same_bits(step.layer.ssm, expected.ssm));
    }
    REQUIRE(publishing->step(ids_at(c.batch, 50), nullptr).has_value());
    CHECK(seen.size() == static_cast<std::size_t>(tokens));
  }
}

TEST_CASE("gpu publish: a run without waiting in between gives the bits of steps that were waited for") {
  for (const Case& c : cases) {
    CAPTURE(static_cast<int>(c.variant));
    CAPTURE(kernels::name_of(c.state));
    CAPTURE(c.batch);
    const engine::Weights weights = weights_of(c.rank);
    const auto running = open(weights, c);
    const auto stepping = open(weights, c);
    const std::vector<std::int32_t> ids = ids_at(c.batch, 3);
    const int steps = gpu_test::small() ? 5 : 200;
    std::vector<std::vector<float>> states, norms;
    std::vector<std::int64_t> positions;
    REQUIRE(running
                ->publish({0, 2,
                           [&](const Published& step) {
                             positions.push_back(step.position);
                             states.push_back(step.layer.ssm);
                             norms.push_back(step.coefficients.state_norm);
                           }})
                .has_value());
    std::vector<double> milliseconds(static_cast<std::size_t>(steps));
    REQUIRE(running->time_steps(ids, milliseconds, engine::CacheState::warm).has_value());
    REQUIRE(positions.size() == static_cast<std::size_t>(steps));
    for (int t = 0; t < steps; ++t) {
      const auto i = static_cast<std::size_t>(t);
      REQUIRE(stepping->step(ids, nullptr).has_value());
      engine::StepCoefficients coefficients;
      engine::SequenceState state;
      const std::vector<int> layers = {2};
      REQUIRE(stepping->read_coefficients(0, coefficients).has_value());
      REQUIRE(stepping->read_state(0, layers, true, state).has_value());
      REQUIRE(positions[i] == t + 1);
      REQUIRE(tests::same_bits(states[i], state.layers[2].ssm));
      REQUIRE(tests::same_bits(norms[i], coefficients.state_norm));
    }
    const auto cost = engine::measure_publishing(*running, ids, 0, 16);
    REQUIRE(cost.has_value());
    CHECK(cost->verified());
  }
}

TEST_CASE("gpu publish: logits of matrix products, which lie in two parts, come as they are read") {
  const engine::Weights weights = weights_of(1);
  for (const DType state : {DType::f32, DType::bf16}) {
    engine::BackendOptions options;
    options.batch = 13;
    options.graph = true;
    options.variant = Variant::fused;
    options.state = state;
    options.products = engine::Products::library;
    auto backend = engine::make_cuda_backend(weights, options);
    if (!backend) {
      MESSAGE("skipped: " << backend.error().message);
      return;
    }
    const auto cost = engine::measure_publishing(**backend, ids_at(options.batch, 3), 1, 16);
    REQUIRE(cost.has_value());
    CHECK(cost->complete);
    CHECK(cost->same_bits);
  }
}

TEST_CASE("gpu publish: a layer or sequence that is not there is refused, and nothing changes") {
  const engine::Weights weights = weights_of(1);
  const auto backend = open(weights, cases.front());
  int seen = 0;
  REQUIRE(backend->publish({0, 0, [&](const Published&) { ++seen; }}).has_value());
  for (const auto& [sequence, layer] : {std::pair{1, 0}, {-1, 0}, {0, 3}, {0, -1}}) {
    const auto refused = backend->publish({sequence, layer, [](const Published&) {}});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == engine::ErrorKind::input);
  }
  for (int t = 0; t < 3; ++t) REQUIRE(backend->step(ids_at(1, t), nullptr).has_value());
  CHECK(seen == 1);
}
