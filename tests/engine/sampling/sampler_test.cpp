#include "engine/sampling/sampler.h"

#include "engine/base/random.h"
#include "kernels/sample/buckets.h"
#include "kernels/sample/sample.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>
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

TEST_CASE("a draw's parts: keys keep the order of logits, masses are exponentials, the number is the generator's") {
  const float infinite = std::numeric_limits<float>::infinity();
  const float least = std::numeric_limits<float>::denorm_min();
  const std::vector<float> ordered = {-infinite, -3e38F, -2, -1.5F,      -1,    -least,
                                      0,         least,  1,  1.0000001F, 3e38F, infinite};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    if (i > 0) CHECK(kernels::key_of(ordered[i - 1]) < kernels::key_of(ordered[i]));
    CHECK(kernels::logit_of(kernels::key_of(ordered[i])) == ordered[i]);
  }
  CHECK(kernels::key_of(-0.0F) == kernels::key_of(0.0F));
  CHECK(kernels::key_of(std::nanf("")) == kernels::key_of(-infinite));
  CHECK(kernels::key_of(-std::nanf("")) == kernels::key_of(-infinite));

  CHECK(kernels::mass_of(0) == std::uint64_t{1} << 40U);
  CHECK(kernels::mass_of(-1) == std::uint64_t{1} << 39U);
  for (double exponent = -41.5; exponent < 0; exponent += 0.000731) {
    const double exact = std::exp2(40 + exponent);
    CHECK(std::abs(static_cast<double>(kernels::mass_of(exponent)) - exact) <= 0.5 + 1e-9 * exact);
  }
  CHECK(kernels::mass_of(-42) == 0);
  CHECK(kernels::mass_of(-1e300) == 0);
  CHECK(kernels::mass_of(std::nan("")) == 0);

  for (std::uint64_t i = 0; i < 100; ++i) CHECK(kernels::first_number(i * i, 3 * i) == Random(i * i, 3 * i).next());

  CHECK(kernels::id_bits_of(1) == 1);
  CHECK(kernels::id_bits_of(2) == 1);
  CHECK(kernels::id_bits_of(3) == 2);
  CHECK(kernels::id_bits_of(128256) == 17);
  for (const std::int32_t id : {0, 1, 77, 128255}) CHECK(kernels::id_of_rank(kernels::rank_of(-3, id, 17), 17) == id);
  CHECK(kernels::rank_of(1, 5, 17) > kernels::rank_of(1, 6, 17));
  CHECK(kernels::rank_of(1.0000001F, 6, 17) > kernels::rank_of(1, 5, 17));
}

TEST_CASE("buckets: every id lies in its bucket and between its bucket's ranks") {
  Random random(10);
  constexpr float most = std::numeric_limits<float>::max();
  int seen = 0;
  for (int round = 0; round < 200000; ++round) {
    const double size = std::pow(10, 80 * random.uniform() - 42);
    const auto best = static_cast<float>(std::min(size, double{most}) * (random.below(2) == 0 ? 1 : -1));
    const double scale = std::pow(10, 84 * random.uniform() - 38);
    const double lower = double{best} - 42 * random.uniform() / scale;
    if (lower < -double{most}) continue;
    const auto logit = std::min(best, static_cast<float>(lower));
    const double exponent = kernels::exponent_of(logit, best, scale);
    if (kernels::mass_of(exponent) == 0) continue;
    ++seen;
    const unsigned bucket = kernels::bucket_of(exponent);
    REQUIRE(bucket < kernels::bucket_count);
    const kernels::RankRange range = kernels::ranks_of_bucket(bucket, best, scale, 5);
    const std::uint64_t rank = kernels::rank_of(logit, 17, 5);
    CAPTURE(best);
    CAPTURE(logit);
    CAPTURE(scale);
    CHECK(range.lowest <= rank);
    CHECK(rank <= range.highest);
  }
  CHECK(seen > 50000);
}

// The search of the device's kernel, by bins, for the last candidate: how many passes it took, and what it found.
std::pair<kernels::Candidates, int> search(const std::vector<float>& logits, const kernels::DrawRule& rule) {
  const auto count = static_cast<std::int32_t>(logits.size());
  const int id_bits = kernels::id_bits_of(count);
  const float best = *std::max_element(logits.begin(), logits.end());
  const bool by_count = rule.kind == kernels::DrawRule::Kind::top_count;
  std::vector<std::uint64_t> bins;
  std::vector<int> members;
  const auto fill = [&](const auto& bin_of) {
    bins.assign(kernels::bucket_count, 0);
    members.assign(kernels::bucket_count, 0);
    for (std::int32_t id = 0; id < count; ++id) {
      const double exponent = kernels::exponent_of(logits[static_cast<std::size_t>(id)], best, rule.scale);
      const std::uint64_t mass = kernels::mass_of(exponent);
      const int bin = mass == 0 ? -1 : bin_of(exponent, id);
      if (bin < 0) continue;
      bins.at(static_cast<std::size_t>(bin)) += by_count ? 1 : mass;
      ++members.at(static_cast<std::size_t>(bin));
    }
  };
  const auto find = [&](std::uint64_t& goal) {
    std::size_t bin = 0;
    for (; bins.at(bin) < goal; ++bin) goal -= bins[bin];
    return static_cast<int>(bin);
  };
  fill([](double exponent, std::int32_t) { return static_cast<int>(kernels::bucket_of(exponent)); });
  const std::uint64_t total = std::accumulate(bins.begin(), bins.end(), std::uint64_t{0});
  std::uint64_t goal = by_count ? static_cast<std::uint64_t>(rule.count) : kernels::mass_to_reach(rule.share, total);
  kernels::Candidates found;
  if (goal > total) return {found, 1};
  found.bucket = static_cast<unsigned>(find(goal));
  kernels::RankRange range = kernels::ranks_of_bucket(found.bucket, best, rule.scale, id_bits);
  int passes = 1, bin = 0;
  do {
    ++passes;
    range.divide();
    fill([&](double exponent, std::int32_t id) {
      const std::uint64_t rank = kernels::rank_of(logits[static_cast<std::size_t>(id)], id, id_bits);
      return kernels::bucket_of(exponent) == found.bucket && range.has(rank) ? range.bin_of(rank) : -1;
    });
    bin = find(goal);
    range.narrow(bin);
  } while (range.shift > 0 && members[static_cast<std::size_t>(bin)] > 1);
  found.lowest = range.lowest;
  return {found, passes};
}

TEST_CASE("searching by bins finds the candidates that sorting finds, in few passes") {
  Random random(11);
  int most_passes = 0, usual = 0;
  for (int round = 0; round < 400; ++round) {
    const bool few_values = round % 4 == 0;
    std::vector<float> logits(1 + random.below(3000));
    for (float& logit : logits) {
      const double value = 6 * (random.uniform() + random.uniform() + random.uniform() - 1.5);
      logit = static_cast<float>(few_values ? std::round(value) : value);
    }
    Sampler sampler = of(round % 2 == 0 ? Sampler::Kind::top_k : Sampler::Kind::top_p);
    sampler.top_k = static_cast<int>(1 + random.below(logits.size() + 2));
    sampler.top_p = static_cast<float>(random.uniform());
    sampler.temperature = static_cast<float>(std::pow(10, 4 * random.uniform() - 2));
    const kernels::DrawRule rule = draw_rule(sampler);
    const auto [found, passes] = search(logits, rule);
    most_passes = std::max(most_passes, passes);
    if (!few_values && sampler.temperature < 1) usual = std::max(usual, passes);

    std::vector<std::int32_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
    });
    const float best = logits[static_cast<std::size_t>(order.front())];
    const auto mass = [&](std::int32_t id) {
      return kernels::mass_of(kernels::exponent_of(logits[static_cast<std::size_t>(id)], best, rule.scale));
    };
    std::uint64_t total = 0, reached = 0;
    for (const std::int32_t id : order) total += mass(id);
    const bool by_count = sampler.kind == Sampler::Kind::top_k;
    const std::uint64_t goal =
        by_count ? static_cast<std::uint64_t>(rule.count) : kernels::mass_to_reach(rule.share, total);
    int wrong = 0;
    for (const std::int32_t id : order) {
      if (mass(id) == 0) break;
      const float logit = logits[static_cast<std::size_t>(id)];
      const bool kept =
          found.have(kernels::bucket_of(kernels::exponent_of(logit, best, rule.scale)),
                     kernels::rank_of(logit, id, kernels::id_bits_of(static_cast<std::int32_t>(logits.size()))));
      wrong += kept == (reached < goal) ? 0 : 1;
      reached += by_count ? 1 : mass(id);
    }
    CAPTURE(round);
    CHECK(wrong == 0);
  }
  CHECK(most_passes <= 7);
  CHECK(usual <= 3);
}

// Sum of (found - expected)^2 / expected over ids whose expectation is at least 5, the others as one; and how many terms.
std::pair<double, int> chi_square(const std::vector<float>& logits, const Sampler& sampler, int draws) {
  std::vector<double> p;
  for (const float logit : logits) p.push_back(std::exp(double{logit} / double{sampler.temperature}));
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  std::vector<int> found(logits.size());
  for (int i = 0; i < draws; ++i)
    ++found[static_cast<std::size_t>(sample(logits, sampler, static_cast<std::uint64_t>(i)))];
  double rare = 0, rare_found = 0, chi = 0;
  int terms = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double expected = draws * p[i] / sum;
    if (expected < 5) {
      rare += expected;
      rare_found += found[i];
    } else {
      chi += (found[i] - expected) * (found[i] - expected) / expected;
      ++terms;
    }
  }
  if (rare >= 5) {
    chi += (rare_found - rare) * (rare_found - rare) / rare;
    ++terms;
  }
  return {chi, terms};
}

TEST_CASE("draws follow softmax, at every temperature") {
  Random random(8);
  std::vector<float> logits(200);
  for (float& logit : logits) logit = static_cast<float>(6 * random.uniform() - 3);
  Sampler sampler = of(Sampler::Kind::temperature);
  for (const float temperature : {0.5F, 1.0F, 3.0F, 1e30F}) {
    CAPTURE(temperature);
    sampler.temperature = temperature;
    const auto [chi, terms] = chi_square(logits, sampler, 100000);
    const double freedom = terms - 1;
    CHECK(terms > 50);
    CHECK(std::abs(chi - freedom) < 4 * std::sqrt(2 * freedom));  // the seed is fixed
  }
  sampler.temperature = std::numeric_limits<float>::denorm_min();
  const auto best = static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  for (std::uint64_t i = 0; i < 20; ++i) CHECK(sample(logits, sampler, i) == best);
  sampler.temperature = std::numeric_limits<float>::infinity();
  CHECK(frequencies(logits, sampler, 20000).size() > 190);
}

TEST_CASE("candidates are exact, also among equals and at the ends of the settings") {
  Random random(9);
  const auto candidates = [](const std::vector<float>& logits, const Sampler& sampler) {
    std::set<std::int32_t> ids;
    for (std::uint64_t i = 0; i < 3000; ++i) ids.insert(sample(logits, sampler, i));
    return ids;
  };
  for (int round = 0; round < 20; ++round) {
    // Few different logits, so that the last candidate has equals.
    std::vector<float> logits(24);
    for (float& logit : logits) logit = 0.25F * static_cast<float>(random.below(5));
    std::vector<std::int32_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
    });
    Sampler sampler = of(Sampler::Kind::top_k);
    for (const int k : {-1, 0, 1, 2, 7, 23, 24, 25, 1 << 30}) {
      CAPTURE(k);
      sampler.top_k = k;
      const auto kept = order.begin() + std::clamp(k, 1, 24);
      CHECK(candidates(logits, sampler) == std::set<std::int32_t>(order.begin(), kept));
    }
    sampler.kind = Sampler::Kind::top_p;
    for (const float p : {-1.0F, 0.0F, 0.03F, 0.31F, 0.5F, 0.77F, 0.98F, 1.0F, 2.0F, std::nanf("")}) {
      CAPTURE(p);
      sampler.top_p = p;
      double sum = 0, reached = 0;
      for (const float logit : logits) sum += std::exp(double{logit});
      std::set<std::int32_t> expected;
      for (const std::int32_t id : order) {
        expected.insert(id);
        reached += std::exp(double{logits[static_cast<std::size_t>(id)]});
        if (!(reached < double{p} * sum * (1 - 1e-12))) break;
      }
      CHECK(candidates(logits, sampler) == expected);
    }
  }
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
  CHECK(sample(std::vector<float>{std::nanf(""), -infinite}, sampler, 0) == 0);
  for (const Sampler::Kind kind : {Sampler::Kind::temperature, Sampler::Kind::top_k, Sampler::Kind::top_p}) {
    Sampler each = of(kind);
    each.top_p = 1;
    const auto share = frequencies({-infinite, 0, std::nanf(""), 0, -std::nanf("")}, each, 2000);
    CHECK(share.size() == 2);
    CHECK(share.at(1) == doctest::Approx(0.5).epsilon(0.1));
    each.temperature = std::nanf("");
    CHECK(sample(std::vector<float>{0, 1, 0}, each, 7) == 1);
  }
}
