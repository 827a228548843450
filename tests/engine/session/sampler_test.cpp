#include "engine/session/sampler.h"

#include "engine/base/random.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <vector>

using namespace engine;

namespace {

std::vector<float> logits_of(const std::vector<double>& p) {
  std::vector<float> logits;
  logits.reserve(p.size());
  for (const double value : p) logits.push_back(static_cast<float>(std::log(value)));
  return logits;
}

// How often each id comes in `draws` draws.
std::map<std::int32_t, double> frequencies(const std::vector<float>& logits, const Sampler& sampler, int draws) {
  std::map<std::int32_t, double> share;
  for (int i = 0; i < draws; ++i) share[sample(logits, sampler, static_cast<std::uint64_t>(i))] += 1.0 / draws;
  return share;
}

Sampler of(Sampler::Kind kind) {
  Sampler sampler;
  sampler.kind = kind;
  sampler.seed = 42;
  return sampler;
}

}  // namespace

TEST_CASE("greedy takes the best, whatever the seed") {
  Sampler sampler;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    sampler.seed = seed;
    CHECK(sample(std::vector<float>{0, 3, 3, 1}, sampler, seed) == 1);
  }
  sampler = of(Sampler::Kind::temperature);
  sampler.temperature = 0;
  CHECK(sample(std::vector<float>{0, 3, 4, 1}, sampler, 0) == 2);
}

TEST_CASE("temperature draws with the right frequencies") {
  const std::vector<float> logits = logits_of({0.5, 0.3, 0.15, 0.05});
  const auto share = frequencies(logits, of(Sampler::Kind::temperature), 40000);
  CHECK(share.at(0) == doctest::Approx(0.5).epsilon(0.03));
  CHECK(share.at(1) == doctest::Approx(0.3).epsilon(0.04));
  CHECK(share.at(3) == doctest::Approx(0.05).epsilon(0.1));
  Sampler cold = of(Sampler::Kind::temperature);
  cold.temperature = 0.5F;  // squares the probabilities
  const auto colder = frequencies(logits, cold, 40000);
  CHECK(colder.at(0) == doctest::Approx(0.25 / 0.365).epsilon(0.03));
}

TEST_CASE("top-k draws from the k best only, top-p from the fewest that reach p") {
  const std::vector<float> logits = logits_of({0.05, 0.5, 0.15, 0.3});
  Sampler sampler = of(Sampler::Kind::top_k);
  sampler.top_k = 2;
  auto share = frequencies(logits, sampler, 20000);
  CHECK(share.size() == 2);
  CHECK(share.at(1) == doctest::Approx(0.625).epsilon(0.03));
  sampler.top_k = 0;
  CHECK(frequencies(logits, sampler, 100).size() == 1);

  sampler = of(Sampler::Kind::top_p);
  sampler.top_p = 0.79F;
  share = frequencies(logits, sampler, 20000);
  CHECK(share.size() == 2);
  CHECK(share.count(1) + share.count(3) == 2);
  sampler.top_p = 0.9F;
  CHECK(frequencies(logits, sampler, 20000).size() == 3);
  sampler.top_p = 0;
  CHECK(frequencies(logits, sampler, 100).size() == 1);
  sampler.top_p = 1;
  CHECK(frequencies(logits, sampler, 20000).size() == 4);
  // Equal probabilities: rounding must not leave nothing to draw from.
  sampler.top_p = 0;
  CHECK(sample(std::vector<float>(7, 0.1F), sampler, 3) == 0);
}

TEST_CASE("a draw depends on seed and position only") {
  const std::vector<float> logits(50, 0.0F);
  const Sampler sampler = of(Sampler::Kind::temperature);
  std::vector<std::int32_t> forward, backward(100);
  for (std::uint64_t i = 0; i < 100; ++i) forward.push_back(sample(logits, sampler, i));
  for (std::uint64_t i = 100; i-- > 0;) backward[i] = sample(logits, sampler, i);
  CHECK(forward == backward);
  Sampler other = sampler;
  other.seed = 43;
  std::vector<std::int32_t> others;
  for (std::uint64_t i = 0; i < 100; ++i) others.push_back(sample(logits, other, i));
  CHECK(forward != others);
  // Even logits: ids follow the generator's number alone. The first is what the generator gives on every machine.
  CHECK(forward[0] == static_cast<std::int32_t>(Random(42, 0).uniform() * 50));
}

TEST_CASE("logits that are not numbers do not break the draw") {
  const float infinite = std::numeric_limits<float>::infinity();
  const Sampler sampler = of(Sampler::Kind::top_p);
  CHECK(sample(std::vector<float>{std::nanf(""), 1, std::nanf("")}, sampler, 0) == 1);
  CHECK(sample(std::vector<float>{0, infinite, 1}, sampler, 0) == 1);
  CHECK(sample(std::vector<float>{-infinite, -infinite}, sampler, 0) == 0);
}
