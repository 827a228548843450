#include "app/viewmodel/pair_query.h"

#include "app/viewmodel/numbers.h"
#include "tests/support/fake_snapshot.h"

#include <doctest/doctest.h>

#include <cmath>

using engine::PairMeasure;

namespace {

PairMeasure measure_of(const char* words) {
  const auto query = app::parse_pair_query(words);
  REQUIRE_MESSAGE(query.has_value(), words);
  return query->measure;
}

double turns_of(const char* words) {
  const auto query = app::parse_pair_query(words);
  REQUIRE_MESSAGE(query.has_value(), words);
  CHECK(query->measure == PairMeasure::turn_near);
  return query->turns;
}

}  // namespace

TEST_SUITE("app/viewmodel/pair_query") {
  TEST_CASE("words and numbers name what pairs do") {
    CHECK(turns_of("turns by half on this token") == 0.5);
    CHECK(turns_of("A fifth") == doctest::Approx(0.2));
    CHECK(turns_of("two fifths") == doctest::Approx(0.4));
    CHECK(turns_of("1/5") == doctest::Approx(0.2));
    CHECK(turns_of(" 4/5 turn") == doctest::Approx(0.2));  // either sense
    CHECK(turns_of("72°") == doctest::Approx(0.2));
    CHECK(turns_of("90 deg") == doctest::Approx(0.25));
    CHECK(turns_of("3.14159265 rad") == doctest::Approx(0.5));
    CHECK(turns_of("-0.1") == doctest::Approx(0.1));
    CHECK(turns_of("stands still") == 0);
    CHECK(measure_of("slowest decay") == PairMeasure::slowest_decay);
    CHECK(measure_of("fastest decay") == PairMeasure::fastest_decay);
    CHECK(measure_of("largest change") == PairMeasure::largest_change);
    CHECK(measure_of("largest accumulated angle") == PairMeasure::largest_winding);
    CHECK(measure_of("winding") == PairMeasure::largest_winding);
    CHECK(measure_of("largest turn") == PairMeasure::largest_turn);
    for (const app::PairPreset& preset : app::pair_presets()) {
      CHECK_MESSAGE(app::parse_pair_query(preset.text).has_value(), preset.text);
      CHECK_FALSE(app::describe(*app::parse_pair_query(preset.text)).empty());
    }
    CHECK(app::describe(*app::parse_pair_query("2/5")) == "|Δθ| next to 2/5 of a turn");
    CHECK(app::describe(*app::parse_pair_query("0.137")) == "|Δθ| next to 0.137 of a turn");
    for (const char* nothing : {"", "   ", "purple", "1/0", "1/", "nan", "inf turns"})
      CHECK_FALSE(app::parse_pair_query(nothing).has_value());
  }

  TEST_CASE("the pair that a 1 turns by half is found among all layers and heads, and not on a 0") {
    tests::FakeShape shape;
    shape.layers = 3;
    const auto snapshot = tests::fake_snapshot(shape, {0, 1, 0}, 2);
    const auto query = *app::parse_pair_query("half");
    const auto on_one = app::find_pairs(*snapshot, 1, query, 10);
    REQUIRE_FALSE(on_one.hits.empty());
    CHECK(on_one.layers == 3);
    CHECK(on_one.hits[0].layer == 2);
    CHECK(on_one.hits[0].head == snapshot->model->config().heads() - 1);
    CHECK(on_one.hits[0].pair == 2);
    CHECK(std::abs(on_one.hits[0].value) == doctest::Approx(0.5).epsilon(0.01));
    CHECK(app::hit_text(query, {0, 0, 1, -0.25, 0}) == app::number_text(-0.25, 3) + " turn");
    CHECK(app::find_pairs(*snapshot, 0, query, 1).hits[0].rank > 0.1);
  }

  TEST_CASE("the first token's change is its whole state; without a token there is nothing") {
    const auto snapshot = tests::fake_snapshot({}, {1, 0});
    const auto change = app::find_pairs(*snapshot, 0, *app::parse_pair_query("largest change"), 1);
    const auto state = app::find_pairs(*snapshot, 0, *app::parse_pair_query("largest state"), 1);
    REQUIRE(change.hits.size() == 1);
    CHECK(change.hits[0].value == doctest::Approx(state.hits[0].value));
    CHECK(app::find_pairs(*snapshot, 5, {}, 1).hits.empty());
    CHECK(app::find_pairs(engine::Snapshot{}, 0, {}, 1).hits.empty());
    tests::FakeShape bare;
    bare.record_matrix = false;
    const auto none =
        app::find_pairs(*tests::fake_snapshot(bare, {1, 0}), 1, *app::parse_pair_query("largest change"), 5);
    CHECK(none.hits.empty());
    CHECK(none.layers == 0);
  }
}
