#include "profiler/report/span.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace profiler;

namespace {

std::shared_ptr<const TokenTimes> token(std::int64_t begin, std::int64_t wall,
                                        const std::vector<std::pair<std::int64_t, std::int64_t>>& pieces) {
  auto out = std::make_shared<TokenTimes>();
  out->wall_start_ns = begin;
  out->wall_ns = wall;
  for (const auto& [start, duration] : pieces) {
    StageTime time;
    time.start_ns = start;
    time.duration_ns = duration;
    out->stages.push_back(time);
  }
  return out;
}

}  // namespace

TEST_CASE("a token's wall time is host, work and gaps, and nothing else") {
  // 1000..2000: work 1100..1200, 1150..1300 (50 at once with the first), 1400..1500; out of order.
  const TokenSpan span = span_of(*token(1000, 1000, {{1400, 100}, {1100, 100}, {1150, 150}}));
  CHECK(span.before_ns == 100);
  CHECK(span.busy_ns == 300);
  CHECK(span.overlap_ns == 50);
  CHECK(span.gaps_ns == 100);
  CHECK(span.after_ns == 500);
  CHECK(span.before_ns + span.busy_ns + span.gaps_ns + span.after_ns == span.wall_ns);

  // A device clock that is known too late by 3 ns: the parts still add up.
  const TokenSpan late = span_of(*token(1000, 100, {{1050, 53}}));
  CHECK(late.after_ns == -3);
  CHECK(late.before_ns + late.busy_ns + late.gaps_ns + late.after_ns == late.wall_ns);

  const TokenSpan idle = span_of(*token(1000, 70, {}));
  CHECK(idle.before_ns == 70);
  CHECK(idle.busy_ns == 0);
  // One piece inside another: no gap, all of the shorter one overlaps.
  const TokenSpan nested = span_of(*token(0, 100, {{10, 80}, {20, 10}}));
  CHECK(nested.busy_ns == 80);
  CHECK(nested.overlap_ns == 10);
  CHECK(nested.gaps_ns == 0);
}

TEST_CASE("by how much each group lengthens the work adds up to the work, waiting left out") {
  auto one = std::make_shared<TokenTimes>();
  // Stage 0: 0..100. Stage 1 begins at 40, waits, ends at 130. Stage 2: 60..70, inside. Stage 9, of no group: 150..160.
  const std::int64_t pieces[][3] = {{0, 0, 100}, {1, 40, 90}, {2, 60, 10}, {9, 150, 10}};
  for (const auto& [stage, start, duration] : pieces) {
    StageTime time;
    time.tag.stage = static_cast<std::uint16_t>(stage);
    time.start_ns = start;
    time.duration_ns = duration;
    one->stages.push_back(time);
  }
  std::swap(one->stages[0], one->stages[3]);
  auto other = std::make_shared<TokenTimes>();
  const std::vector<std::shared_ptr<const TokenTimes>> tokens = {one, other};
  const int groups[] = {0, 1, 0};
  const std::vector<double> adds = lengthening({tokens.data(), 1}, groups, 2);
  REQUIRE(adds.size() == 3);
  CHECK(adds[0] == doctest::Approx(100));
  CHECK(adds[1] == doctest::Approx(30));
  CHECK(adds[2] == doctest::Approx(10));
  CHECK(adds[0] + adds[1] + adds[2] == doctest::Approx(span_means({tokens.data(), 1}).busy));
  CHECK(lengthening(tokens, groups, 2)[0] == doctest::Approx(50));  // a mean over tokens
}

TEST_CASE("means of spans add up over tokens") {
  const std::vector<std::shared_ptr<const TokenTimes>> tokens = {token(0, 100, {{10, 20}, {50, 20}}),
                                                                 token(1000, 300, {{1100, 100}})};
  const SpanMeans means = span_means(tokens);
  CHECK(means.wall == doctest::Approx(200));
  CHECK(means.busy == doctest::Approx(70));
  CHECK(means.gaps == doctest::Approx(10));
  CHECK(means.pieces == doctest::Approx(1.5));
  CHECK(means.before + means.busy + means.gaps + means.after == doctest::Approx(means.wall));
  CHECK(span_means({}).wall == 0);
}

TEST_CASE("what bounds a token follows from its parts") {
  SpanMeans means;
  means.wall = 1000;
  means.busy = 490;
  means.before = 200;
  means.gaps = 210;
  means.after = 100;
  CHECK(bound_of(means, 1e6, 1e12) == Bound::launches);  // whatever the bytes
  means.busy = 600;
  means.gaps = 100;
  // In 600 ns at 1e9 bytes a second: 600 bytes at most.
  CHECK(bound_of(means, 361, 1e9) == Bound::bandwidth);
  CHECK(bound_of(means, 359, 1e9) == Bound::latency);
  CHECK(bound_of(means, 599, 1e9) == Bound::bandwidth);
  CHECK(bound_of(means, 601, 1e9) == Bound::cached);
  CHECK(std::string(name_of(Bound::cached)) == "not judged");
  CHECK(std::string(name_of(Bound::launches)) == "launch-bound");
}
