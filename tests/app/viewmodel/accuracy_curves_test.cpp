// Curves of accuracy: bins, intervals, units, and what is not known.
#include "app/viewmodel/accuracy_curves.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace {

// 10 sequences, all labelled; right up to position `right_until`, from then on half of them.
engine::Evaluation falling(int length, int right_until) {
  engine::Evaluation evaluation;
  evaluation.classes = 2;
  evaluation.sequences = 10;
  for (int t = 1; t <= length; ++t) {
    evaluation.labelled_at.push_back(10);
    evaluation.right_at.push_back(t <= right_until ? 10 : 5);
  }
  return evaluation;
}

}  // namespace

TEST_CASE("accuracy curve: every position lies in one bin, the bins end at the powers of two") {
  for (const bool logarithmic : {true, false}) {
    for (const int length : {1, 2, 7, 48, 49, 512, 1000}) {
      CAPTURE(length);
      const app::AccuracyCurve curve =
          app::make_accuracy_curve(falling(length, length / 2), app::AccuracyUnit::raw, logarithmic);
      REQUIRE_FALSE(curve.first.empty());
      CHECK(curve.first.front() == 1);
      CHECK(curve.last.back() == length);
      for (std::size_t i = 0; i < curve.first.size(); ++i) {
        if (i > 0) CHECK(curve.first[i] == curve.last[i - 1] + 1);
        CHECK(curve.position[i] >= curve.first[i]);
        CHECK(curve.position[i] <= curve.last[i]);
        CHECK(curve.labelled[i] == 10 * (curve.last[i] - curve.first[i] + 1));
        CHECK(curve.low[i] <= curve.value[i]);
        CHECK(curve.high[i] >= curve.value[i]);
      }
    }
  }
  const app::AccuracyCurve curve = app::make_accuracy_curve(falling(512, 64), app::AccuracyUnit::scaled, true);
  CHECK(std::count(curve.last.begin(), curve.last.end(), 64) == 1);
  for (std::size_t i = 0; i < curve.last.size(); ++i)
    CHECK(curve.value[i] == doctest::Approx(curve.last[i] <= 64 ? 100 : 0));
  CHECK(app::make_accuracy_curve(falling(1000, 1), app::AccuracyUnit::raw, false).first.size() <= 48);
}

TEST_CASE("accuracy curve: bins without a label are left out, and nothing measured gives nothing") {
  engine::Evaluation evaluation = falling(64, 64);
  for (int t = 0; t < 64; ++t)
    if (t != 40)
      evaluation.labelled_at[static_cast<std::size_t>(t)] = evaluation.right_at[static_cast<std::size_t>(t)] = 0;
  const app::AccuracyCurve curve = app::make_accuracy_curve(evaluation, app::AccuracyUnit::scaled, true);
  REQUIRE(curve.position.size() == 1);
  CHECK(curve.first[0] <= 41);
  CHECK(curve.last[0] >= 41);
  CHECK(curve.labelled[0] == 10);
  CHECK(app::make_accuracy_curve({}, app::AccuracyUnit::scaled, true).position.empty());
}

TEST_CASE("wilson: known values, and an interval inside [0, 1] at the ends") {
  // Newcombe (1998), table I: 81 of 263 and 0 of 20 by the score method.
  const app::Interval some = app::wilson_interval(81.0 / 263, 263);
  CHECK(some.low == doctest::Approx(0.2553).epsilon(2e-4));
  CHECK(some.high == doctest::Approx(0.3662).epsilon(2e-4));
  const app::Interval none = app::wilson_interval(0, 20);
  CHECK(none.low == 0);
  CHECK(none.high == doctest::Approx(0.1611).epsilon(3e-4));
  CHECK(app::wilson_interval(1, 20).high == 1);
  CHECK(app::wilson_interval(0.5, 0).low == 0);
  CHECK(app::wilson_interval(0.5, 0).high == 1);
}

TEST_CASE("the interval counts sequences, not the positions of one sequence") {
  const app::AccuracyCurve curve = app::make_accuracy_curve(falling(512, 0), app::AccuracyUnit::raw, true);
  const app::Interval ten = app::wilson_interval(0.5, 10);
  CHECK(curve.low.back() == doctest::Approx(100 * ten.low));
  CHECK(curve.high.back() == doctest::Approx(100 * ten.high));
}

TEST_CASE("accuracy row: prefixes up to each length beside the recorded figures") {
  const auto row = app::make_accuracy_row(falling(256, 128), {{256, 0.9}, {1024, 0.5}}, 2, app::AccuracyUnit::scaled);
  REQUIRE(row.size() == app::accuracy_lengths.size());
  CHECK(row[1].length == 128);
  CHECK(row[1].value == doctest::Approx(100));
  CHECK(std::isnan(row[1].recorded));
  CHECK(row[2].value == doctest::Approx(50));  // half of the prefix all right, half at chance
  CHECK(row[2].counts.labelled == 2560);
  CHECK(row[2].recorded == doctest::Approx(80));
  CHECK(std::isnan(row[3].value));
  CHECK(std::isnan(row[4].value));
  CHECK(row[4].recorded == doctest::Approx(0));
  CHECK(app::in_unit(0.5, 2, app::AccuracyUnit::raw) == doctest::Approx(50));
  CHECK(std::isnan(app::in_unit(0.5, 0, app::AccuracyUnit::scaled)));
}

TEST_CASE("the longest training length is what the origin's command says") {
  CHECK(app::longest_training_length("train.py --task parity --lengths 8 16 512 --steps 9000") == 512);
  CHECK(app::longest_training_length("train.py --task parity --rank 4 --tokens 8192 up to length 512, then with "
                                     "--start-from, --lengths 1024 --steps 600 --batch 4") == 1024);
  CHECK(app::longest_training_length("train.py --lengths 16 32, then --lengths 8") == 32);
  CHECK(app::longest_training_length("train.py --task parity --seed 3") == 0);
  CHECK(app::longest_training_length("--lengths 99999999999999999999") == 0);
  CHECK(app::longest_training_length("--lengths") == 0);
  CHECK(app::longest_training_length("") == 0);
}

TEST_CASE("accuracy table: one row a position, two columns a model") {
  const engine::Evaluation a = falling(64, 32), b = falling(32, 8), none;
  const app::Table table = app::accuracy_table({{"a", &a}, {"b", &b}, {"none", &none}});
  REQUIRE(table.columns.size() == 7);
  CHECK(table.columns[0].values.front() == 1);
  CHECK(table.columns[0].values.size() == 64);
  CHECK(table.columns[3].name == "b (labelled)");
  CHECK(table.columns[3].values.size() == 32);
  CHECK(table.columns[2].values[31] == 10);
  CHECK(table.columns[2].values[32] == 5);
  CHECK(app::to_csv(table).find("\n33,10,5,,,,\n") != std::string::npos);
}
