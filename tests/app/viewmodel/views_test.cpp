// The smaller view-models: raster, matrix, memory, map, inspector, errors, answers, numbers, tables.
#include "app/viewmodel/answers.h"
#include "app/viewmodel/inspector_numbers.h"
#include "app/viewmodel/layer_head_map.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/raster.h"
#include "app/viewmodel/rule_errors.h"
#include "app/viewmodel/shown.h"
#include "app/viewmodel/stability_points.h"
#include "app/viewmodel/table.h"
#include "engine/tasks/label.h"
#include "tests/support/fake_snapshot.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

TEST_SUITE("app/viewmodel") {
  TEST_CASE("numbers have the digits that they deserve") {
    CHECK(app::number_text(0.99959, 5) == "0.99959");
    CHECK(app::number_text(1690, 3) == "1,690");
    CHECK(app::number_text(0) == "0");
    CHECK(app::number_text(-0.00041) == "-0.0004100");
    CHECK(app::number_text(3.1e-7, 2) == "3.1e-07");
    CHECK(app::number_text(std::nan("")) == "nan");
    CHECK(app::number_text(std::numeric_limits<double>::infinity()) == "inf");
    CHECK(app::number_text(1e300, 3) == "1.0e+300");
    CHECK(app::count_text(-1234567) == "-1,234,567");
    CHECK(app::percent_text(0.998) == "99.8 %");
    CHECK(app::percent_text(1e-6) == "< 0.1 %");
  }

  TEST_CASE("no value makes a text that a plot cannot hold") {
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double value : {0.0, -0.0, 1e-320, -3e-9, 0.1, 9.99999, -123456.0, 1e7, -1e7, 1e38, -1e300, 1.7e308,
                               infinity, -infinity, std::nan("")}) {
      CAPTURE(value);
      for (const int digits : {1, 2, 3, 4, 5}) {
        CHECK(app::number_text(value, digits).size() <= 14);
        CHECK_FALSE(app::number_text(value, digits).empty());
      }
      CHECK(app::percent_text(value).size() <= 14);
      CHECK(app::signed_text(value).size() <= 14);
    }
    CHECK(app::percent_text(1e300) == "1.0e+302 %");
    CHECK(app::percent_text(infinity) == "inf");
    CHECK(app::signed_text(6.578) == "+6.58");
    CHECK(app::signed_text(-3.88) == "−3.88");
    CHECK(app::signed_text(1.2e30) == "+1.2e+30");
    CHECK(app::signed_text(std::nan("")) == "nan");
    CHECK(app::number_text(-0.0) == "0");
  }

  TEST_CASE("bytes are counted in powers of ten, as bandwidth is") {
    CHECK(app::bytes_text(0) == "0 B");
    CHECK(app::bytes_text(264) == "264 B");
    CHECK(app::bytes_text(8704) == "8.70 KB");
    CHECK(app::bytes_text(37600) == "37.6 KB");
    CHECK(app::bytes_text(999'900) == "1.00 MB");
    CHECK(app::bytes_text(525'300'000) == "525 MB");
    CHECK(app::bytes_text(3'000'000'000ULL) == "3.00 GB");
    CHECK(app::bytes_text(std::numeric_limits<std::uint64_t>::max()) == "18.4 EB");
  }

  TEST_CASE("CSV quotes names, leaves missing cells empty") {
    const app::Table table{"t", {{"a, b", {1, 2.5}}, {"c", {std::nan("")}}}};
    CHECK(app::to_csv(table) == "\"a, b\",c\n1,\n2.5,\n");
  }

  TEST_CASE("the shown token follows the newest, and a selection beyond it is clamped") {
    const auto snapshot = tests::fake_snapshot({}, {1, 0, 1});
    app::Selection selection;
    CHECK(app::shown_index(*snapshot, selection) == 2);
    selection.token = 1;
    CHECK(app::shown_index(*snapshot, selection) == 1);
    selection.token = 99;
    CHECK(app::shown_index(*snapshot, selection) == 2);
    CHECK(app::shown_index(*tests::fake_snapshot({}, {}), selection) == -1);
    selection.layer = 50;
    selection.head = -3;
    selection.row = 1000;
    const app::Selection inside = app::clamped(snapshot->model->config(), selection);
    CHECK(inside.layer == 0);
    CHECK(inside.head == 0);
    CHECK(inside.row == 15);
  }

  TEST_CASE("phase raster: newest tokens, turning pairs, NaN where nothing was recorded") {
    const auto snapshot = tests::fake_snapshot({}, {1, 0, 1, 1, 0});
    const auto raster = app::make_phase_raster(*snapshot, {}, 4, 3, false);
    CHECK(raster.pairs == 4);
    CHECK(raster.tokens == 3);
    CHECK(raster.first_token == 2);
    CHECK(raster.recorded == 3);
    CHECK(app::make_phase_raster(*snapshot, {}, 4, 3, true).pairs == 8);
    tests::FakeShape without;
    without.record_matrix = false;
    const auto none = app::make_phase_raster(*tests::fake_snapshot(without, {1, 0}), {}, 1, 8, false);
    CHECK(none.recorded == 0);
    CHECK(std::isnan(none.phase[0]));
    CHECK(app::make_phase_raster(*tests::fake_snapshot({}, {}), {}, -1, 8, false).tokens == 0);
  }

  TEST_CASE("the state matrix has the same norm in both frames; cells that are not finite are counted") {
    tests::FakeShape shape;
    shape.mimo = true;
    auto snapshot = tests::fake_snapshot(shape, {1, 1, 0});
    app::Selection stored, turned;
    stored.frame = app::Frame::stored;
    const auto a = app::make_state_matrix(*snapshot, stored, 2), b = app::make_state_matrix(*snapshot, turned, 2);
    CHECK(a.norm > 0);
    CHECK(a.norm == doctest::Approx(b.norm));
    CHECK(a.rows == 16);
    const auto& ssm = snapshot->tokens[2]->state->layers[0].ssm;
    CHECK(a.values[5] == doctest::Approx(ssm[5]));
    auto record = std::make_shared<engine::TokenRecord>(*snapshot->tokens[2]);
    auto state = std::make_shared<engine::SequenceState>(*record->state);
    state->layers[0].ssm[5] = INFINITY;
    record->state = state;
    snapshot->tokens.replace(2, record);
    const auto odd = app::make_state_matrix(*snapshot, stored, 2);
    CHECK(odd.not_finite == 2);  // a pair is as good as its worse channel
    // In the raster that phasor is told from one that was not recorded.
    const auto raster = app::make_phase_raster(*snapshot, stored, 2, 3, true);
    const auto cell = static_cast<std::size_t>((shape.mimo ? 5 : 2) * 3 + 2);
    CHECK(std::isnan(raster.phase[cell]));
    CHECK(std::isnan(raster.magnitude[cell]));
    CHECK(std::isfinite(raster.largest));
    CHECK(std::isfinite(odd.largest));
  }

  TEST_CASE("memory: the envelope is the product of alpha, turns are whole halves for the telling pair") {
    const auto snapshot = tests::fake_snapshot({}, {1, 0, 1, 1}, 1);
    app::Selection selection;
    selection.head = snapshot->model->config().heads() - 1;
    selection.pair = 1;
    const auto memory = app::make_memory(*snapshot, selection, 3, 64);
    REQUIRE(memory.turns.size() == 4);
    CHECK(memory.turns.back() == doctest::Approx(1.5));
    const double alpha = static_cast<double>(snapshot->tokens[1]->coefficients.alpha.back());
    CHECK(memory.retained[0] == 1.0);
    CHECK(memory.retained[3] == doctest::Approx(alpha * alpha * alpha));
    CHECK(app::make_memory(*tests::fake_snapshot({}, {}), selection, -1, 64).token.empty());

    // What is not a number keeps nothing from being shown as kept.
    auto broken = std::make_shared<engine::TokenRecord>(*snapshot->tokens[2]);
    for (float& a : broken->coefficients.alpha) a = NAN;
    snapshot->tokens.replace(2, broken);
    CHECK(std::isnan(app::make_memory(*snapshot, selection, 3, 64).retained[3]));
    for (float& a : broken->coefficients.alpha) a = 0;
    CHECK(app::make_memory(*snapshot, selection, 3, 64).retained[3] == 0);
  }

  TEST_CASE("model map: values, range, logarithm only where it can be") {
    tests::FakeShape shape;
    shape.layers = 3;
    const auto snapshot = tests::fake_snapshot(shape, {1, 0});
    const auto map = app::make_layer_head_map(*snapshot, 1, app::MapQuantity::dt, app::Frame::unrotated);
    REQUIRE(map.values.size() == static_cast<std::size_t>(3 * snapshot->model->config().heads()));
    CHECK(map.any);
    CHECK(map.logarithmic);
    CHECK(map.position(static_cast<float>(map.low)) == doctest::Approx(0.0));
    CHECK(map.position(static_cast<float>(map.high)) == doctest::Approx(1.0));
    CHECK(std::isnan(map.position(NAN)));
    for (int i = 0; i < app::map_quantity_count; ++i) {
      CHECK(app::make_layer_head_map(*snapshot, 1, static_cast<app::MapQuantity>(i), app::Frame::stored).any);
      CHECK_FALSE(app::make_layer_head_map(*tests::fake_snapshot(shape, {}), -1, static_cast<app::MapQuantity>(i),
                                           app::Frame::stored)
                      .any);
    }
  }

  TEST_CASE("inspector: the numbers of the selected head, and the turn's class") {
    const auto snapshot = tests::fake_snapshot({}, {0, 1}, 1);
    app::Selection selection;
    selection.head = snapshot->model->config().heads() - 1;
    selection.pair = 1;
    const auto numbers = app::make_inspector(*snapshot, selection, 1);
    const auto row =
        std::find_if(numbers.rows.begin(), numbers.rows.end(), [](const auto& r) { return r.symbol == "Δθ"; });
    REQUIRE(row != numbers.rows.end());
    CHECK(row->note == "½ turn");
    CHECK(row->value == "3.142 rad");
    CHECK_FALSE(numbers.pair.empty());
    selection.pair = 7;
    const auto real = app::make_inspector(*snapshot, selection, 1);
    const auto still = std::find_if(real.rows.begin(), real.rows.end(), [](const auto& r) { return r.symbol == "Δθ"; });
    CHECK(still->note == "pair 7 never turns");
    CHECK(app::make_inspector(*tests::fake_snapshot({}, {}), selection, -1).rows.empty());
  }

  TEST_CASE("errors: zero and not-a-number become gaps; the spread counts every head once per rule") {
    tests::FakeShape shape;
    shape.layers = 2;
    auto snapshot = tests::fake_snapshot(shape, {1, 0, 1});
    auto record = std::make_shared<engine::TokenRecord>(*snapshot->tokens[0]);
    record->error_unrotated[0] = {NAN, 0.0F, INFINITY};
    snapshot->tokens.replace(0, record);
    const auto series = app::make_error_series(*snapshot, {}, 2, 64);
    REQUIRE(series.token.size() == 3);
    for (const auto& rule : series.error) CHECK(std::isnan(rule[0]));
    CHECK(series.any);
    CHECK(series.low > 0);
    const auto spread = app::make_error_spread(*snapshot, 2, app::Frame::stored);
    CHECK(spread.heads == 2 * snapshot->model->config().heads());
    for (const auto& counts : spread.count) {
      double sum = 0;
      for (const double n : counts) sum += n;
      CHECK(sum == spread.heads);
    }
    CHECK(app::make_error_spread(*tests::fake_snapshot(shape, {}), -1, app::Frame::stored).heads == 0);
    CHECK_FALSE(app::make_error_series(*tests::fake_snapshot(shape, {}), {}, -1, 64).any);
  }

  TEST_CASE("a half-turn step lies outside explicit Euler's disc, a small one inside; many heads are thinned") {
    const auto snapshot = tests::fake_snapshot({}, {0, 1}, 1);
    app::Selection selection;
    selection.head = snapshot->model->config().heads() - 1;
    const auto half = app::make_stability_points(*snapshot, selection, 1);
    CHECK(half.head_re.size() == 4);
    CHECK(half.head_im[1] == doctest::Approx(-app::pi));
    CHECK(half.outside_explicit_euler >= 1);
    tests::FakeShape shape;
    shape.layers = 12;
    shape.d_model = 512;
    shape.record_matrix = false;
    CHECK(app::make_stability_points(*tests::fake_snapshot(shape, {1}), {}, 0).re.size() <= 1500);
    CHECK(app::make_stability_points(*tests::fake_snapshot({}, {}), {}, -1).head_re.empty());
  }

  TEST_CASE("answers of a labelling model: truth, accuracy, probability of the truth") {
    auto snapshot = tests::fake_snapshot({}, {1, 1, 0});
    auto wrong = std::make_shared<engine::TokenRecord>(*snapshot->tokens[1]);
    wrong->predicted = 1 - wrong->truth;
    snapshot->tokens.replace(1, wrong);
    const auto view = app::make_answers(*snapshot, 2, 64);
    CHECK(view.labelling);
    CHECK(view.judged_so_far == 3);
    CHECK(view.right_so_far == 2);
    CHECK(view.truth_text == "even");
    CHECK(view.right);
    CHECK(view.rows.size() == 2);
    CHECK(view.truth_probability.size() == 3);
    CHECK(std::isnan(app::make_answers(*snapshot, 0, 64).kl_bits));
    CHECK(view.broken_at == -1);

    auto unknown = std::make_shared<engine::TokenRecord>(*snapshot->tokens[1]);
    unknown->truth = engine::not_known;
    snapshot->tokens.replace(1, unknown);
    CHECK(app::make_answers(*snapshot, 2, 64).broken_at == 1);
    CHECK(app::make_answers(*snapshot, 2, 64).judged_so_far == 2);
    CHECK_FALSE(app::make_answers(*snapshot, 1, 64).truth_known);
    CHECK(app::make_answers(*snapshot, 0, 64).broken_at == -1);

    auto broken = std::make_shared<engine::TokenRecord>(*snapshot->tokens[2]);
    for (engine::TopToken& top : broken->top) top.logit = std::numeric_limits<float>::quiet_NaN();
    snapshot->tokens.replace(2, broken);
    const auto none = app::make_answers(*snapshot, 2, 64);
    CHECK(none.not_finite);
    CHECK(none.rows.empty());
    CHECK(std::isnan(none.entropy_bits));
    CHECK(std::isnan(none.truth_probability[2]));
    CHECK(app::make_answers(*tests::fake_snapshot({}, {}), -1, 64).rows.empty());
  }

  TEST_CASE("answers of a next-token model: the truth is the token that comes next") {
    tests::FakeShape shape;
    shape.labelling = false;
    shape.vocab = 20;
    auto snapshot = tests::fake_snapshot(shape, {3, 5});
    CHECK(app::make_answers(*snapshot, 0, 64).truth_text == "5");
    CHECK_FALSE(app::make_answers(*snapshot, 1, 64).truth_known);
    snapshot->pending = {7};
    CHECK(app::make_answers(*snapshot, 1, 64).truth_text == "7");
    CHECK(std::isnan(app::make_answers(*snapshot, 1, 64).truth_probability[0]));
  }
}
