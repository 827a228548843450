#include "profiler/clock/alignment.h"

#include <doctest/doctest.h>

using profiler::ClockAnchor;
using profiler::ClockMap;

TEST_CASE("the tightest bracket gives the offset and its uncertainty") {
  // Steady reads come in pairs around each read of the other clock; the second pair is the tightest.
  const std::int64_t reads[] = {0, 100, 200, 204, 300, 390};
  const std::uint64_t others[] = {1040, 1202, 1350};
  std::size_t next_read = 0, next_other = 0;
  const auto anchor = profiler::align_clocks([&] { return reads[next_read++]; },
                                             [&]() -> std::optional<std::uint64_t> { return others[next_other++]; }, 3);
  REQUIRE(anchor);
  CHECK(anchor->steady_ns == 202);
  CHECK(anchor->offset_ns == -1000);
  CHECK(anchor->uncertainty_ns == 2);
}

TEST_CASE("a clock that fails or answers zero gives no anchor") {
  std::int64_t now = 0;
  CHECK_FALSE(profiler::align_clocks([&] { return ++now; }, []() -> std::optional<std::uint64_t> { return {}; }));
  CHECK_FALSE(profiler::align_clocks([&] { return ++now; }, []() -> std::optional<std::uint64_t> { return 0; }));
}

TEST_CASE("times are converted between and outside of anchors") {
  ClockMap map;
  CHECK(map.empty());
  map.add(ClockAnchor{1000, -9000, 5});  // other clock: 10000
  CHECK(map.uncertainty_ns() == 5);
  CHECK(map.to_steady(10000) == 1000);
  CHECK(map.to_steady(9000) == 0);
  map.add(ClockAnchor{2010, -8990, 7});  // other clock: 11000; the offset moved by 10
  CHECK(map.to_steady(10000) == 1000);
  CHECK(map.to_steady(10500) == 1505);
  CHECK(map.to_steady(11000) == 2010);
  CHECK(map.to_steady(12000) == 3010);
  CHECK(map.uncertainty_ns() == 17);
}

TEST_CASE("a long run keeps the newest anchors") {
  ClockMap map;
  for (int i = 0; i < 1000; ++i) map.add(ClockAnchor{std::int64_t{i} * 1000, -500, 1});
  CHECK(map.to_steady(999'000) == 998'500);
  CHECK(map.to_steady(600) == 100);
}
