#include "app/viewmodel/turns.h"

#include "app/viewmodel/shown.h"
#include "tests/support/fake_snapshot.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

TEST_SUITE("app/viewmodel/turns") {
  TEST_CASE("simple fractions of a turn have names, both senses alike") {
    CHECK(app::turn_label(app::pi) == "½ turn");
    CHECK(app::turn_label(-app::pi) == "½ turn");
    CHECK(app::turn_label(app::pi + 0.05) == "½ turn");
    CHECK(app::turn_label(2 * app::pi / 3) == "1/3 turn");
    CHECK(app::turn_label(4 * app::pi / 5) == "2/5 turn");
    CHECK(app::turn_label(2 * app::pi) == "full turn");
    CHECK(app::turn_label(3 * app::pi / 4) == "—");
    CHECK(app::turn_label(-2.444) == "—");
    CHECK(app::turn_label(0.01) == "—");
    CHECK(app::turn_label(std::numeric_limits<double>::quiet_NaN()) == "—");
    CHECK(app::turn_label(std::numeric_limits<double>::infinity()) == "—");
    CHECK(app::is_clear_turn(app::pi));
    CHECK_FALSE(app::is_clear_turn(0.0));
  }

  TEST_CASE("a pair that a symbol always turns alike has concentration 1, and counts its tokens") {
    const auto snapshot = tests::fake_snapshot({}, {1, 0, 1, 1, 0}, 2);
    const int head = snapshot->model->config().heads() - 1;
    const auto rows = app::turns_at(*snapshot, 3, 0, head);
    REQUIRE(rows.size() == static_cast<std::size_t>(snapshot->model->config().angles()));
    CHECK(rows[2].turn == doctest::Approx(app::pi));
    CHECK(rows[2].tokens == 3);
    CHECK(rows[2].concentration == doctest::Approx(1.0));
    CHECK(app::turns_at(*snapshot, 4, 0, head)[2].turn == doctest::Approx(0.0));
  }

  TEST_CASE("no token, no rows; an index outside is no crash") {
    const auto empty = tests::fake_snapshot({}, {});
    CHECK(app::turns_at(*empty, -1, 0, 0).empty());
    CHECK(app::turns_at(*empty, 0, 0, 0).empty());
    const auto one = tests::fake_snapshot({}, {1});
    CHECK(app::turns_at(*one, 7, 0, 0).empty());
    CHECK(app::turns_at(*one, 0, 0, 0).front().tokens == 1);
  }

  TEST_CASE("sorting puts what is not a number last, either way") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<app::TurnRow> rows{{0, nan, 0.5, 1}, {1, -3.0, 0.1, 1}, {2, 0.2, nan, 1}};
    app::sort_turns(rows, app::TurnOrder::turn, true);
    CHECK(rows[0].pair == 1);
    CHECK(rows[2].pair == 0);
    app::sort_turns(rows, app::TurnOrder::turn, false);
    CHECK(rows[0].pair == 2);
    CHECK(rows[2].pair == 0);
    app::sort_turns(rows, app::TurnOrder::concentration, true);
    CHECK(rows[0].pair == 0);
    CHECK(rows[2].pair == 2);
  }
}
