#include "profiler/report/statistics.h"

#include <doctest/doctest.h>

using namespace profiler;

namespace {

StageTime piece(int stage, std::int64_t start, std::int64_t duration, std::uint32_t name = 0) {
  StageTime time;
  time.tag = {1, 0, static_cast<std::uint16_t>(stage)};
  time.start_ns = start;
  time.duration_ns = duration;
  time.name = name;
  return time;
}

std::shared_ptr<const TokenTimes> token(std::int64_t wall, std::vector<StageTime> stages) {
  auto out = std::make_shared<TokenTimes>();
  out->wall_ns = wall;
  out->stages = std::move(stages);
  return out;
}

}  // namespace

TEST_CASE("spread of known values") {
  const Spread none = spread_of({});
  CHECK(none.count == 0);
  CHECK(none.median == 0);
  const Spread one = spread_of({7});
  CHECK(one.p5 == 7);
  CHECK(one.median == 7);
  CHECK(one.p95 == 7);
  CHECK(one.mad == 0);
  std::vector<double> values;
  for (int i = 100; i >= 0; --i) values.push_back(i);
  const Spread spread = spread_of(values);
  CHECK(spread.count == 101);
  CHECK(spread.min == 0);
  CHECK(spread.p5 == doctest::Approx(5));
  CHECK(spread.median == doctest::Approx(50));
  CHECK(spread.p95 == doctest::Approx(95));
  CHECK(spread.max == 100);
  CHECK(spread.mean == doctest::Approx(50));
  CHECK(spread.mad == doctest::Approx(25));
  CHECK(spread_of({1, 2}).median == doctest::Approx(1.5));
}

TEST_CASE("union of intervals") {
  CHECK(union_length({}) == 0);
  CHECK(union_length({{5, 9}, {0, 2}}) == 6);
  CHECK(union_length({{0, 10}, {2, 4}, {8, 12}, {12, 13}}) == 13);
  CHECK(union_length({{3, 3}}) == 0);
}

TEST_CASE("a step's wall time is taken apart") {
  // Stages 0: 0..10; 1: 10..30 and 25..40 (30 together, overlapping stage 2 by 5); 2: 35..45; between: 50..52.
  const auto t =
      token(60, {piece(0, 0, 10), piece(1, 10, 20), piece(1, 25, 15), piece(2, 35, 10), piece(between_stages, 50, 2)});
  std::vector<std::int64_t> stages(3);
  const TokenAccount parts = account(*t, stages);
  CHECK(stages == std::vector<std::int64_t>{10, 30, 10});
  CHECK(parts.stages_ns == 50);
  CHECK(parts.between_ns == 2);
  CHECK(parts.overlap_ns == 5);
  CHECK(parts.busy_ns == 47);
  CHECK(parts.gaps_ns == 13);
  CHECK(parts.wall_ns == parts.stages_ns + parts.between_ns - parts.overlap_ns + parts.gaps_ns);
  // An id beyond the plan is still part of the step.
  std::vector<std::int64_t> fewer(1);
  CHECK(account(*t, fewer).stages_ns == 50);
}

TEST_CASE("statistics per stage and per group") {
  std::vector<std::shared_ptr<const TokenTimes>> tokens = {
      token(100, {piece(0, 0, 10, 1), piece(1, 10, 20, 2), piece(1, 30, 5, 3)}),
      token(100, {piece(0, 0, 30, 1), piece(1, 40, 25, 2)}),
      token(200, {piece(1, 0, 45, 2)}),
  };
  const Statistics all = statistics_of(tokens, 3);
  REQUIRE(all.stages.size() == 3);
  CHECK(all.stages[0].time_ns.count == 2);
  CHECK(all.stages[0].time_ns.median == doctest::Approx(20));
  CHECK(all.stages[0].pieces == doctest::Approx(2.0 / 3));
  CHECK(all.stages[0].share == doctest::Approx(40.0 / 400));
  CHECK(all.stages[1].time_ns.count == 3);
  CHECK(all.stages[1].time_ns.median == doctest::Approx(25));
  CHECK(all.stages[1].name == 2);
  CHECK(all.stages[2].time_ns.count == 0);
  CHECK(all.stages[2].share == 0);
  CHECK(all.step.wall.median == doctest::Approx(100));
  CHECK(all.step.gaps.max == doctest::Approx(155));

  const std::vector<int> groups = {0, 0, -1};
  const auto rolled = grouped(tokens, groups, 2);
  REQUIRE(rolled.size() == 2);
  CHECK(rolled[0].time_ns.count == 3);
  CHECK(rolled[0].time_ns.median == doctest::Approx(45));
  CHECK(rolled[0].share == doctest::Approx(135.0 / 400));
  CHECK(rolled[1].time_ns.count == 0);
  CHECK(statistics_of({}, 2).stages.size() == 2);
  CHECK(statistics_of({}, 2).step.wall.count == 0);
}

TEST_CASE("where kernels wait for each other, the clock that leaves waiting out adds up to the work") {
  // Stage 1 begins at 4 and waits until 10; stage 2 runs inside of it; stage 3 comes later.
  const auto t = token(40, {piece(0, 0, 10), piece(1, 4, 16), piece(2, 12, 5), piece(3, 30, 6)});
  std::vector<std::int64_t> stages(4);
  CHECK(added_times(*t, stages) == 0);
  CHECK(stages == std::vector<std::int64_t>{10, 10, 0, 6});
  CHECK(stages[0] + stages[1] + stages[2] + stages[3] == account(*t, {}).busy_ns);
  stage_times(*t, StageClock::recorded, stages);
  CHECK(stages == std::vector<std::int64_t>{10, 16, 5, 6});
  std::vector<std::int64_t> fewer(1);
  CHECK(added_times(*t, fewer) == 16);  // of stages outside

  const std::vector<std::shared_ptr<const TokenTimes>> tokens = {t};
  CHECK(clock_for(tokens) == StageClock::waiting_out);
  const std::vector<int> groups = {0, 1, 0, 1};
  const auto recorded = grouped(tokens, groups, 2), waiting_out = grouped(tokens, groups, 2, StageClock::waiting_out);
  CHECK(recorded[0].share + recorded[1].share == doctest::Approx(37.0 / 40));
  CHECK(waiting_out[0].share + waiting_out[1].share == doctest::Approx(26.0 / 40));
  CHECK(waiting_out[1].time_ns.median == 16);
  CHECK(waiting_out[0].pieces == 2);

  // Less than 1 % at once is no overlap, and without any both clocks say the same.
  CHECK(clock_for(std::vector<std::shared_ptr<const TokenTimes>>{token(400, {piece(0, 0, 200), piece(1, 199, 200)})}) ==
        StageClock::recorded);
  CHECK(clock_for({}) == StageClock::recorded);
  const auto apart = token(60, {piece(0, 0, 10), piece(1, 10, 20), piece(0, 40, 5)});
  std::vector<std::int64_t> one(2), other(2);
  stage_times(*apart, StageClock::recorded, one);
  stage_times(*apart, StageClock::waiting_out, other);
  CHECK(one == other);
}
