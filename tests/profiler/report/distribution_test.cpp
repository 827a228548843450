#include "profiler/report/distribution.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

using namespace profiler;

namespace {

Series series(std::vector<double> times) {
  Series out;
  out.times_ns = std::move(times);
  out.tokens.resize(out.times_ns.size());
  std::iota(out.tokens.begin(), out.tokens.end(), 100U);
  return out;
}

StageTime piece(int stage, std::int64_t start, std::int64_t duration) {
  StageTime time;
  time.tag = {1, 0, static_cast<std::uint16_t>(stage)};
  time.start_ns = start;
  time.duration_ns = duration;
  return time;
}

}  // namespace

TEST_CASE("quantiles") {
  CHECK(quantile({}, 0.5) == 0);
  const std::vector<double> values = {4, 1, 3, 2};
  CHECK(quantile(values, 0) == 1);
  CHECK(quantile(values, 1) == 4);
  CHECK(quantile(values, 0.5) == doctest::Approx(2.5));
  CHECK(quantile(values, 0.25) == doctest::Approx(1.75));
  CHECK(quantile(values, 7) == 4);
}

TEST_CASE("the time of each group in each token, and of the whole step") {
  auto token = std::make_shared<TokenTimes>();
  token->token = 9;
  token->wall_ns = 100;
  token->stages = {piece(0, 0, 10), piece(1, 5, 10), piece(1, 12, 8), piece(between_stages, 30, 5), piece(9, 50, 1)};
  auto other = std::make_shared<TokenTimes>();
  other->token = 4;
  other->wall_ns = 50;
  other->stages = {piece(2, 0, 7)};
  const std::vector<std::shared_ptr<const TokenTimes>> tokens = {token, other};
  const std::vector<int> groups = {0, 0, -1};
  const auto found = series_of(tokens, groups, 2);
  REQUIRE(found.size() == 2);
  CHECK(found[0].tokens == std::vector<std::uint32_t>{9});
  CHECK(found[0].times_ns == std::vector<double>{25});  // 10, and 5..20 joined
  CHECK(found[1].tokens.empty());
  CHECK(wall_series(tokens).times_ns == std::vector<double>{100, 50});
  CHECK(gaps_series(tokens).times_ns == std::vector<double>{74, 43});
}

TEST_CASE("a token stands out five sigmas above the median") {
  // Median 100, MAD 5: sigma 7.413, limit 137.065.
  const Outliers found = outliers_of(series({90, 95, 95, 100, 100, 105, 105, 137, 138, 200}));
  CHECK(found.median_ns == doctest::Approx(102.5));
  CHECK(found.sigma_ns == doctest::Approx(1.4826 * 7.5));
  REQUIRE(found.found.size() == 1);
  CHECK(found.found[0].token == 109);
  CHECK(found.found[0].sigmas == doctest::Approx((200 - 102.5) / (1.4826 * 7.5)));
  // Where the clock shows no spread, one per cent of the median is a sigma.
  std::vector<double> still(50, 1000);
  still[3] = 1049;
  CHECK(outliers_of(series(still)).found.empty());
  still[4] = 1051;
  still[5] = 5000;
  const Outliers two = outliers_of(series(still));
  REQUIRE(two.found.size() == 2);
  CHECK(two.found[0].token == 105);  // the longest first
  CHECK(two.found[1].token == 104);
  CHECK(outliers_of(series({})).found.empty());
  CHECK(outliers_of(series({0, 0, 0})).found.empty());
}

TEST_CASE("a histogram counts every value once, outliers apart") {
  std::mt19937_64 random(5);
  std::vector<double> times;
  for (int i = 0; i < 1000; ++i) times.push_back(32.0 * static_cast<double>(1000 + random() % 20 + random() % 20));
  times[17] = 1e6;
  for (const std::size_t most : {std::size_t{1}, std::size_t{8}, std::size_t{64}}) {
    const Histogram found = histogram_of(series(times), most);
    CAPTURE(most);
    CHECK(found.counts.size() <= most + 1);
    CHECK(std::accumulate(found.counts.begin(), found.counts.end(), found.above) == 1000);
    CHECK(found.above == 1);
    CHECK(found.low_ns == *std::min_element(times.begin(), times.end()));
    // Whole ticks of the clock.
    CHECK(found.width_ns / 32 == doctest::Approx(std::round(found.width_ns / 32)));
  }
  const Histogram one = histogram_of(series({7}), 10);
  CHECK(one.counts == std::vector<std::size_t>{1});
  CHECK(one.low_ns == 7);
  CHECK(histogram_of(series({5, 5, 5}), 10).counts == std::vector<std::size_t>{3});
  CHECK(histogram_of(series({}), 10).counts.empty());
  const Histogram known = histogram_of(series({0, 1, 2, 3}), 4);  // IQR 1.5, width 2 * 1.5 / 4^(1/3) = 1.89, so 2 ticks
  CHECK(known.width_ns == 2);
  CHECK(known.counts == std::vector<std::size_t>{2, 2});
}
