// Drawing ids on the device: the host's ids, row by row for every kind of draw, and a model that runs on its own draws.
#include "kernels/sample/sample.h"

#include "engine/backend/cuda_backend.h"
#include "engine/base/random.h"
#include "engine/model/random_weights.h"
#include "engine/sampling/sampler.h"
#include "tests/gpu/device.h"
#include "tests/gpu/open_backend.h"
#include "tests/support/bits.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

using engine::Sampler;
using kernels::DrawRule;

namespace {

// What a row of logits looks like; `repeated` has few different ones, `broken` some that are no numbers.
enum class Look : std::uint8_t { normal, peaked, repeated, equal, broken };
constexpr Look looks[] = {Look::normal, Look::peaked, Look::repeated, Look::equal, Look::broken};

std::vector<float> row_of(Look look, std::size_t size, engine::Random& random) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> row(size);
  for (float& logit : row) {
    const double near_normal = random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2;
    const double value = look == Look::peaked ? 15 * near_normal : 2 * near_normal;
    logit = look == Look::equal      ? -0.25F
            : look == Look::repeated ? static_cast<float>(std::round(2 * value)) / 2
                                     : static_cast<float>(value);
    if (look == Look::broken && random.below(3) == 0) logit = random.below(2) == 0 ? -infinity : std::nanf("");
  }
  if (look == Look::broken && random.below(4) == 0) row[random.below(size)] = infinity;
  if (look == Look::broken) row[random.below(size)] = -0.0F;
  return row;
}

std::vector<DrawRule> rules(std::uint64_t seed) {
  std::vector<DrawRule> made;
  Sampler sampler;
  sampler.seed = seed;
  made.push_back(engine::draw_rule(sampler));
  for (const float temperature : {1.0F, 0.3F, 1e-6F, 5.0F, 1e30F}) {
    sampler.temperature = temperature;
    sampler.kind = Sampler::Kind::temperature;
    made.push_back(engine::draw_rule(sampler));
    sampler.kind = Sampler::Kind::top_k;
    for (const int k : {1, 3, 40, 5000, 1 << 30}) {
      sampler.top_k = k;
      made.push_back(engine::draw_rule(sampler));
    }
    sampler.kind = Sampler::Kind::top_p;
    for (const float p : {0.0F, 0.1F, 0.5F, 0.95F, 0.999999F, 1.0F}) {
      sampler.top_p = p;
      made.push_back(engine::draw_rule(sampler));
    }
  }
  return made;
}

struct Rows {
  int vocab = 0, batch = 1;
  std::size_t stride = 0;
  bool clusters = true, two_parts = false;
};

// Draws that differ from the host's, over all rules and looks.
int differing_draws(const Rows& rows, int rounds) {
  engine::Random random(77, static_cast<std::uint64_t>(rows.vocab));
  const auto batch = static_cast<std::size_t>(rows.batch), vocab = static_cast<std::size_t>(rows.vocab);
  const float unread = std::numeric_limits<float>::max();  // padding: would win every draw
  int wrong = 0;
  for (int round = 0; round < rounds; ++round) {
    const Look look = looks[static_cast<std::size_t>(round) % std::size(looks)];
    std::vector<float> first(batch * rows.stride, unread), rest(batch * rows.stride, 0.0F), logits(batch * vocab);
    for (std::size_t b = 0; b < batch; ++b) {
      const std::vector<float> row = row_of(look, vocab, random);
      for (std::size_t i = 0; i < vocab; ++i) {
        first[b * rows.stride + i] = row[i];
        if (rows.two_parts) rest[b * rows.stride + i] = static_cast<float>(random.uniform() * 1e-3);
        logits[b * vocab + i] = row[i] + rest[b * rows.stride + i];
      }
    }
    const gpu_test::Array<float> device_first(first), device_rest(rest);
    for (const DrawRule& rule : rules(static_cast<std::uint64_t>(round))) {
      const std::uint64_t position = random.below(1U << 20U);
      const gpu_test::Array<kernels::SampleCursor> cursors(std::vector<kernels::SampleCursor>(batch, {position, 1}));
      const gpu_test::Array<std::int32_t> ids(std::vector<std::int32_t>(batch, -1));
      const gpu_test::Array<std::int32_t> drawn(std::vector<std::int32_t>(3 * batch, -1));
      kernels::SampleArgs args;
      args.batch = rows.batch;
      args.vocab = rows.vocab;
      args.stride = rows.stride;
      args.logits = device_first.data();
      args.rest = rows.two_parts ? device_rest.data() : nullptr;
      args.rule = rule;
      args.cursors = cursors.data();
      args.ids = ids.data();
      args.drawn = drawn.data();
      gpu_test::finish(kernels::device::sample(args, {gpu_test::stream().handle(), false, rows.clusters, 132}));
      const std::vector<std::int32_t> found = ids.read(), kept = drawn.read();
      const std::vector<kernels::SampleCursor> after = cursors.read();
      for (std::size_t b = 0; b < batch; ++b) {
        DrawRule own = rule;
        own.seed += b;
        const std::int32_t expected = kernels::sample(logits.data() + b * vocab, rows.vocab, own, position);
        const bool same = found[b] == expected && kept[batch + b] == expected && kept[b] == -1 &&
                          kept[2 * batch + b] == -1 && after[b].position == position + 1 && after[b].draw == 2;
        if (same) continue;
        if (++wrong == 1) {
          MESSAGE("vocab " << rows.vocab << ", look " << static_cast<int>(look) << ", kind "
                           << static_cast<int>(rule.kind) << ", scale " << rule.scale << ", count " << rule.count
                           << ", share " << rule.share << ": " << found[b] << " for " << expected);
        }
      }
    }
  }
  return wrong;
}

engine::Weights weights_of(int rank) {
  constexpr int vocab_size = 5003;  // with padding, in a cluster
  return gpu_test::small_weights(rank, vocab_size);
}

struct Case {
  engine::Variant variant;
  bool graph;
  int rank, batch;
  engine::Products products = engine::Products::own;
};

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, const Case& c) {
  engine::BackendOptions options;
  options.batch = c.batch;
  options.graph = c.graph;
  options.variant = c.variant;
  options.products = c.products;
  auto backend = engine::make_cuda_backend(weights, options);
  if (!backend && c.products == engine::Products::library) {
    MESSAGE("skipped: " << backend.error().message);
    return nullptr;
  }
  REQUIRE(backend.has_value());
  return std::move(*backend);
}

// The same with draws on the host, a step at a time.
std::vector<std::int32_t> generate_by_hand(engine::Backend& backend, const engine::ModelConfig& config,
                                           const Sampler& sampler, int steps) {
  const auto batch = static_cast<std::size_t>(backend.plan().batch);
  std::vector<float> logits(static_cast<std::size_t>(config.padded_vocab()));
  std::vector<std::int32_t> all, ids(batch);
  for (int t = 0; t < steps; ++t) {
    for (std::size_t b = 0; b < batch; ++b) {
      REQUIRE(backend.read_logits(static_cast<int>(b), logits).has_value());
      Sampler own = sampler;
      own.seed += b;
      ids[b] = engine::sample({logits.data(), static_cast<std::size_t>(config.vocab_size)}, own,
                              static_cast<std::uint64_t>(backend.position()));
    }
    REQUIRE(backend.step(ids, nullptr).has_value());
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return all;
}

std::vector<Sampler> samplers() {
  std::vector<Sampler> made(4);
  made[1].kind = Sampler::Kind::temperature;
  made[2].kind = Sampler::Kind::top_k;
  made[2].temperature = 0.7F;
  made[3].kind = Sampler::Kind::top_p;
  for (Sampler& sampler : made) sampler.seed = 5;
  return made;
}

}  // namespace

TEST_CASE("gpu sample: every draw is the host's, for every kind, vocabulary and look of the logits") {
  const int rounds = gpu_test::small() ? 1 : 40;
  for (const int vocab : {1, 2, 17, 256, 4095, 4096, 4097}) {
    for (const bool clusters : {true, false}) {
      CHECK(differing_draws({vocab, 1, static_cast<std::size_t>(vocab) + 3, clusters}, rounds) == 0);
    }
  }
  if (gpu_test::small()) return;
  for (const int vocab : {50'280, 128'256}) {
    CHECK(differing_draws({vocab, 1, static_cast<std::size_t>(vocab)}, 5) == 0);
  }
  CHECK(differing_draws({20'011, 1, 20'011, false}, 5) == 0);
}

TEST_CASE("gpu sample: sequences of a batch draw for themselves, also from logits in two parts") {
  const int rounds = gpu_test::small() ? 1 : 5;
  for (const int batch : {2, 7, 64}) {
    if (gpu_test::small() && batch > 7) continue;
    CHECK(differing_draws({1009, batch, 1024}, rounds) == 0);
    CHECK(differing_draws({1009, batch, 1024, true, true}, rounds) == 0);
  }
  if (!gpu_test::small()) CHECK(differing_draws({5003, 33, 5008, true, true}, rounds) == 0);
}

TEST_CASE("gpu generate: the ids and the state of steps whose ids are drawn on the host") {
  using engine::Variant;
  const std::vector<Case> cases = {{Variant::staged, false, 1, 1},
                                   {Variant::staged, true, 4, 3},
                                   {Variant::fused, false, 4, 1},
                                   {Variant::fused, true, 1, 1},
                                   {Variant::fused, true, 4, 9},
                                   {Variant::fused, false, 1, 13, engine::Products::library},
                                   {Variant::fused, true, 1, 13, engine::Products::library}};
  for (const Case& c : cases) {
    CAPTURE(static_cast<int>(c.variant));
    CAPTURE(c.graph);
    CAPTURE(c.batch);
    const engine::Weights weights = weights_of(c.rank);
    // One backend for both: which algorithm multiplies matrices is another one's own choice, and its bits with it.
    const auto backend = open(weights, c);
    if (!backend) continue;
    const auto batch = static_cast<std::size_t>(c.batch);
    const std::vector<std::int32_t> start(batch, 17);
    std::vector<float> logits(static_cast<std::size_t>(weights.config.padded_vocab())), logits_by_hand = logits;
    std::vector<std::int64_t> published;
    REQUIRE(backend->publish({0, 1, [&](const engine::Published& step) { published.push_back(step.position); }})
                .has_value());
    const std::vector<int> pieces = {1, 12};
    std::vector<std::vector<std::int32_t>> runs;
    for (const Sampler& sampler : samplers()) {
      REQUIRE(backend->step(start, nullptr).has_value());  // a given id in between
      for (const int steps : pieces) {
        runs.emplace_back(batch * static_cast<std::size_t>(steps));
        REQUIRE(backend->generate(sampler, runs.back()).has_value());
      }
    }
    REQUIRE(backend->read_logits(c.batch - 1, logits).has_value());
    const std::int64_t end = backend->position();
    REQUIRE(backend->publish({}).has_value());
    CHECK(published.size() == static_cast<std::size_t>(end));
    for (std::size_t i = 0; i < published.size(); ++i) CHECK(published[i] == static_cast<std::int64_t>(i) + 1);

    REQUIRE(backend->reset().has_value());
    std::size_t run = 0;
    for (const Sampler& sampler : samplers()) {
      REQUIRE(backend->step(start, nullptr).has_value());
      for (const int steps : pieces) {
        CHECK(runs[run++] == generate_by_hand(*backend, weights.config, sampler, steps));
      }
    }
    CHECK(backend->position() == end);
    REQUIRE(backend->read_logits(c.batch - 1, logits_by_hand).has_value());
    CHECK(tests::same_bits(logits, logits_by_hand));
  }
}

TEST_CASE("gpu generate: more steps than one piece holds, and room for part of a step") {
  const engine::Weights weights = weights_of(1);
  const Case c{engine::Variant::fused, true, 1, 100};
  const auto backend = open(weights, c);
  const Sampler sampler = samplers()[3];
  const int steps = 150;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(steps * c.batch));
  REQUIRE(backend->generate(sampler, ids).has_value());
  CHECK(backend->position() == steps);
  std::vector<std::int32_t> part(ids.size() - 1);
  const auto refused = backend->generate(sampler, part);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == engine::ErrorKind::input);
  CHECK(backend->position() == steps);
  REQUIRE(backend->reset().has_value());
  CHECK(ids == generate_by_hand(*backend, weights.config, sampler, steps));
}
