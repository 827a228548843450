// Keys that are made again in each step against keys that are kept: the same bits, whoever reads, writes or changes the state
// between steps. Kept they are where steps are handed over or changed.
#include "engine/intervention/intervention.h"
#include "tests/gpu/device.h"
#include "tests/gpu/open_backend.h"
#include "tests/support/bits.h"

#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

using engine::Products;
using tests::same_bits;

namespace {

constexpr int batch = 65, vocabulary = 61;  // enough sequences for keys to be made again

struct Case {
  int rank, groups;
  Products products;
  bool graph;
  kernels::DType state;
};

const std::vector<Case> cases = {
    {1, 1, Products::automatic, true, kernels::DType::f32},  {1, 3, Products::library, false, kernels::DType::f32},
    {2, 1, Products::automatic, false, kernels::DType::f32}, {4, 1, Products::automatic, true, kernels::DType::bf16},
    {4, 3, Products::library, true, kernels::DType::f32},    {8, 1, Products::automatic, true, kernels::DType::f32}};

// The heads of the released models.
engine::Weights weights_of(const Case& c) {
  engine::ModelConfig config;
  config.d_model = 96;
  config.d_intermediate = 128;
  config.n_layer = 3;
  config.vocab_size = vocabulary;
  config.headdim = 64;
  config.d_state = 128;
  config.ngroups = c.groups;
  config.is_mimo = c.rank > 1;
  config.mimo_rank = c.rank > 1 ? c.rank : 4;
  auto weights = engine::make_random_weights(config, kernels::DType::bf16, 29);
  REQUIRE(weights.has_value());
  return std::move(*weights);
}

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, const Case& c) {
  engine::BackendOptions options;
  options.variant = engine::Variant::fused;
  options.products = c.products;
  options.graph = c.graph;
  options.state = c.state;
  options.batch = batch;
  return gpu_test::open_backend(weights, options);
}

void step(engine::Backend& backend, int first, int end) {
  for (int t = first; t < end; ++t) {
    std::vector<std::int32_t> ids;
    for (int b = 0; b < batch; ++b) ids.push_back((t * 37 + b * 11 + 5) % vocabulary);
    REQUIRE(backend.step(ids, nullptr).has_value());
  }
}

engine::SequenceState state_of(engine::Backend& backend, int sequence) {
  std::vector<int> layers(3);
  std::iota(layers.begin(), layers.end(), 0);
  engine::SequenceState state;
  REQUIRE(backend.read_state(sequence, layers, true, state).has_value());
  return state;
}

void check_same(engine::Backend& a, engine::Backend& b) {
  for (const int sequence : {0, 1, 2, 3, 31, 63, 64}) {
    CAPTURE(sequence);
    const auto one = state_of(a, sequence), other = state_of(b, sequence);
    CHECK(one.position == other.position);
    for (std::size_t l = 0; l < one.layers.size(); ++l) {
      CAPTURE(l);
      CHECK(same_bits(one.layers[l].angle, other.layers[l].angle));
      CHECK(one.layers[l].turns == other.layers[l].turns);
      CHECK(same_bits(one.layers[l].k, other.layers[l].k));
      CHECK(same_bits(one.layers[l].v, other.layers[l].v));
      CHECK(same_bits(one.layers[l].ssm, other.layers[l].ssm));
    }
    std::vector<float> logits(64), expected(64);
    REQUIRE(a.read_logits(sequence, logits).has_value());
    REQUIRE(b.read_logits(sequence, expected).has_value());
    CHECK(same_bits(logits, expected));
  }
}

}  // namespace

TEST_CASE("gpu last keys: made again or kept, the same bits through reading, restoring, changing, prefill and reset") {
  for (const Case& c : cases) {
    CAPTURE(c.rank);
    CAPTURE(c.groups);
    CAPTURE(static_cast<int>(c.products));
    const engine::Weights weights = weights_of(c);
    const auto again = open(weights, c), kept = open(weights, c);
    REQUIRE(kept->publish({0, 0, [](const engine::Published&) {}}).has_value());
    const auto both = [&](auto body) {
      body(*again);
      body(*kept);
    };
    both([](auto& backend) { step(backend, 0, 5); });  // nobody reads in between
    check_same(*again, *kept);
    both([](auto& backend) { step(backend, 5, 6); });  // goes on with what it knows
    check_same(*again, *kept);

    const engine::SequenceState saved = state_of(*kept, 3);
    both([&](auto& backend) {
      step(backend, 6, 8);
      REQUIRE(backend.restore(1, saved).has_value());
    });
    check_same(*again, *kept);
    both([](auto& backend) { step(backend, 6, 9); });
    check_same(*again, *kept);

    engine::Intervention half;
    half.value = 0.5;  // of the rotation
    const engine::SequenceChanges changes = engine::changes_at({&half, 1}, weights.config, 0);
    both([&](auto& backend) {
      REQUIRE(backend.intervene(2, changes).has_value());
      step(backend, 9, 12);
    });
    check_same(*again, *kept);
    both([&](auto& backend) {
      REQUIRE(backend.intervene(2, {}).has_value());
      step(backend, 12, 15);
    });
    check_same(*again, *kept);

    std::vector<std::int32_t> text;
    for (int i = 0; i < 20 * batch; ++i) text.push_back(i * 13 % vocabulary);
    both([&](auto& backend) {
      REQUIRE(backend.prefill(text, nullptr).has_value());
      step(backend, 20, 22);
    });
    check_same(*again, *kept);
    both([](auto& backend) {
      REQUIRE(backend.reset().has_value());
      step(backend, 0, 3);
    });
    check_same(*again, *kept);
    REQUIRE(again->publish({0, 0, [](const engine::Published&) {}}).has_value());  // from now on both are kept,
    both([](auto& backend) { step(backend, 3, 5); });
    check_same(*again, *kept);
    both([](auto& backend) {  // and now both are made again
      REQUIRE(backend.publish({}).has_value());
      step(backend, 5, 8);
    });
    check_same(*again, *kept);
  }
}
