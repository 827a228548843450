#include "app/viewmodel/parity_grid.h"

#include <doctest/doctest.h>

#include <limits>

namespace {

using engine::ParityCell;
using engine::ParityRow;
using engine::ParityTensor;

ParityCell cell(ParityTensor tensor, double of_limit) {
  ParityCell made;
  made.layer = 2;
  made.tensor = tensor;
  made.values = 12;
  made.of_limit = of_limit;
  made.difference = of_limit * 2e-4;
  return made;
}

ParityRow measured(const char* name, double of_limit) {
  ParityRow row;
  row.name = name;
  row.outcome = ParityRow::Outcome::measured;
  row.repeatable = true;
  row.text = {cell(ParityTensor::k, of_limit)};
  return row;
}

}  // namespace

TEST_CASE("parity grid: colours span four decades below the limit") {
  CHECK(app::heat(cell(ParityTensor::k, 0)) == 0);
  CHECK(app::heat(cell(ParityTensor::k, 1e-9)) == 0);
  CHECK(app::heat(cell(ParityTensor::k, 1e-2)) == doctest::Approx(0.5));
  CHECK(app::heat(cell(ParityTensor::k, 1)) == 1);
  CHECK(app::heat(cell(ParityTensor::k, 1e5)) == 1);
  CHECK(app::heat(cell(ParityTensor::k, std::numeric_limits<double>::infinity())) == 1);
}

TEST_CASE("parity grid: the row that is shown first is the one that fails") {
  engine::ParityReport report;
  CHECK(app::chosen_row(report, -1) == -1);
  ParityRow absent;
  absent.name = "cuda";
  report.rows = {absent, measured("cpu", 0.1), measured("other", 7), measured("worse", 9)};
  CHECK(app::chosen_row(report, -1) == 2);
  CHECK(app::chosen_row(report, 3) == 3);
  CHECK(app::chosen_row(report, 4) == 2);
  report.rows.resize(2);
  CHECK(app::chosen_row(report, -1) == 1);
}

TEST_CASE("parity grid: words of cells and candidates") {
  engine::ModelConfig config;
  config.d_model = 32;
  config.headdim = 16;
  config.d_state = 16;
  config.n_layer = 3;
  ParityCell k = cell(ParityTensor::k, 5);
  k.index = 16 + 3;
  k.found = 1.5F;
  k.expected = -1.5F;
  CHECK(app::cell_text(k) == "1e-03");
  CHECK(app::cell_words(config, k).find("rank 0, head 1, channel 3 with 1.5, in the reference -1.5") !=
        std::string::npos);
  k.not_finite = 4;
  CHECK(app::cell_text(k) == "NaN");
  CHECK(app::cell_words(config, k).find("4 of 12 values are not finite") != std::string::npos);
  ParityCell turns = cell(ParityTensor::turns, 0);
  CHECK(app::cell_text(turns) == "0");
  turns.difference = 2;
  CHECK(app::cell_text(turns) == "2");
  ParityCell mlp = cell(ParityTensor::mlp, 0);
  mlp.values = 0;
  CHECK(app::cell_words(config, mlp).find("has no MLP") != std::string::npos);

  CHECK(app::verdict_words(config, measured("cpu", 0.25)).find("at most 0.25 times the limit, in layer 2 k") !=
        std::string::npos);
  ParityRow wrong = measured("cpu", 3);
  CHECK(app::verdict_words(config, wrong).find("first seen in layer 2 k") != std::string::npos);
  wrong.step = wrong.text;
  CHECK(app::verdict_words(config, wrong).find("is wrong from layer 2 k on") != std::string::npos);
  ParityRow other = measured("cpu", 0);
  other.repeatable = false;
  other.first_unequal = "layer 1 ssm, after the text";
  CHECK(app::verdict_words(config, other).find("other bits, first in layer 1 ssm") != std::string::npos);
  other.outcome = ParityRow::Outcome::failed;
  other.message = "The device is gone.";
  CHECK(app::verdict_words(config, other) == "cpu failed. The device is gone.");
}
