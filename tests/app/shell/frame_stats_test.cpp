#include "app/shell/frame_stats.h"

#include <doctest/doctest.h>

TEST_CASE("quantiles of frame times, without any, with one, and with more than are kept") {
  app::FrameStats stats;
  CHECK(stats.quantile_ms(0.5) == 0);
  stats.add(7);
  CHECK(stats.quantile_ms(0) == 7);
  CHECK(stats.quantile_ms(0.99) == 7);
  stats.clear();
  for (int i = 1; i <= 100; ++i) stats.add(i);
  CHECK(stats.quantile_ms(0) == 1);
  CHECK(stats.quantile_ms(0.5) == doctest::Approx(50).epsilon(0.03));
  CHECK(stats.quantile_ms(0.99) >= 99);
  CHECK(stats.quantile_ms(1) == 100);
  // Old frames make room for new ones.
  for (int i = 0; i < 20000; ++i) stats.add(5);
  CHECK(stats.count() == 20100);
  CHECK(stats.quantile_ms(1) == 5);
}

TEST_CASE("the slowest frames are kept with what they spent their time on") {
  app::FrameStats stats;
  for (int i = 0; i < 100; ++i) stats.add(i % 50, {{"State", 0.5 * (i % 50)}});
  REQUIRE(stats.slowest().size() == 12);
  CHECK(stats.slowest().front().ms == 49);
  CHECK(stats.slowest().front().frame == 49);
  CHECK(stats.slowest()[1].frame == 99);
  CHECK(stats.slowest().back().ms == 44);
  REQUIRE(stats.slowest().front().parts.size() == 1);
  CHECK(stats.slowest().front().parts.front().name == "State");
  CHECK(stats.slowest().front().parts.front().ms == 24.5);
  stats.clear();
  CHECK(stats.slowest().empty());
}
