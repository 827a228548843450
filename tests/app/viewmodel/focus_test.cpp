#include "app/viewmodel/focus.h"

#include "tests/support/fake_snapshot.h"

#include <doctest/doctest.h>

TEST_SUITE("app/viewmodel/focus") {
  TEST_CASE("the pair that one symbol turns by half and the other leaves alone is found, whatever its place") {
    for (const int pair : {0, 2, 3}) {
      tests::FakeShape shape;
      shape.layers = 2;
      const auto snapshot = tests::fake_snapshot(shape, {1, 0, 0, 1, 1, 0, 1}, pair);
      const auto focus = app::find_focus(*snapshot);
      REQUIRE(focus.has_value());
      CHECK(focus->layer == 1);
      CHECK(focus->head == snapshot->model->config().heads() - 1);
      CHECK(focus->pair == pair);
      CHECK(focus->contrast > 3.0);
    }
  }

  TEST_CASE("too few tokens give nothing") {
    CHECK_FALSE(app::find_focus(*tests::fake_snapshot({}, {})).has_value());
    CHECK_FALSE(app::find_focus(*tests::fake_snapshot({}, {1})).has_value());
  }

  TEST_CASE("without recorded matrices the pair is still found, by its turns alone") {
    tests::FakeShape shape;
    shape.record_matrix = false;
    const auto focus = app::find_focus(*tests::fake_snapshot(shape, {1, 0, 1, 0}, 1));
    REQUIRE(focus.has_value());
    CHECK(focus->pair == 1);
  }

  TEST_CASE("a vocabulary too large for symbols takes the fastest pair") {
    tests::FakeShape shape;
    shape.vocab = 5000;
    shape.labelling = false;
    const auto focus = app::find_focus(*tests::fake_snapshot(shape, {7, 9, 30, 7}, 1));
    REQUIRE(focus.has_value());
    CHECK(focus->pair == 3);  // 0.05 (i + 1) is largest for the last turning pair
  }
}
