#include "app/viewmodel/roofline.h"

#include "tests/support/example_profile.h"

#include <doctest/doctest.h>

using namespace app;

TEST_CASE("kinds lie on the roofline where their operations, bytes and times put them") {
  const ProfileResult profile = tests::example_profile(3, 40);
  const auto rows = make_timing_rows(profile.plan, profile.tokens, ProfileRows::kinds);
  const Roofline roofline = make_roofline(rows, 66.72, profile.copy_bytes_per_second);
  REQUIRE(roofline.points.size() ==
          5);  // in_proj, mixer, out_proj, head, the whole step; an embedding computes nothing
  CHECK(roofline.points[1].name == "mixer");
  CHECK(roofline.points[1].intensity == doctest::Approx(4));
  CHECK(roofline.points[1].median_us == doctest::Approx(18.06));
  CHECK(roofline.points[1].gflop_per_s == doctest::Approx(6e6 / 18060));
  CHECK(roofline.points[1].gb_per_s == doctest::Approx(1.5e6 / 18060));
  CHECK(roofline.points[1].of_roof == doctest::Approx(1.5e6 / 18060 / 2000));
  CHECK(roofline.points.back().name == "whole step");
  CHECK(roofline.points.back().kind == -1);
  CHECK(roofline.copy_gb_per_s == doctest::Approx(2000));
  for (const RooflinePoint& point : roofline.points) {
    CHECK(point.intensity > roofline.x_low);
    CHECK(point.intensity < roofline.x_high);
    CHECK(point.gflop_per_s > roofline.y_low);
    CHECK(point.gflop_per_s < roofline.y_high);
    CHECK(point.gb_per_s <= roofline.best_gb_per_s);
  }
}

TEST_CASE("a roofline without a copy rate has no roof, and without times no points") {
  const ProfileResult profile = tests::example_profile(2, 4);
  const auto rows = make_timing_rows(profile.plan, profile.tokens, ProfileRows::kinds);
  const Roofline open = make_roofline(rows, 0, 0);
  CHECK(open.points.size() == 4);
  CHECK(open.copy_gb_per_s == 0);
  CHECK(open.points[0].of_roof == 0);
  const Roofline none = make_roofline(make_timing_rows(profile.plan, {}, ProfileRows::kinds), 0, 1e12);
  CHECK(none.points.empty());
  CHECK(none.x_low > 0);
  CHECK(none.y_low < none.y_high);
}
