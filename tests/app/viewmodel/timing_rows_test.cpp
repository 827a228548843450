#include "app/viewmodel/timing_rows.h"

#include "app/viewmodel/timing_distribution.h"
#include "tests/support/example_profile.h"

#include <doctest/doctest.h>

#include <numeric>

using namespace app;

TEST_CASE("rows by kind, by layer and by stage") {
  const ProfileResult profile = tests::example_profile(3, 40);
  const auto kinds = make_timing_rows(profile.plan, profile.tokens, ProfileRows::kinds);
  REQUIRE(kinds.size() == 5);
  CHECK(kinds[1].group.name == "in_proj");
  CHECK(kinds[1].group.stages == 3);
  // Stages 1, 4 and 7 take 2, 5 and 8 us, and 20 ns more in the middle token of five.
  CHECK(kinds[1].median_us == doctest::Approx(15.06));
  CHECK(kinds[1].gb_per_s == doctest::Approx(3e6 / 15060));
  CHECK(kinds[1].gflop_per_s == doctest::Approx(3e6 / 15060));
  CHECK(kinds[1].outliers == 1);
  CHECK(kinds[1].tokens == 40);
  const auto layers = make_timing_rows(profile.plan, profile.tokens, ProfileRows::layers);
  REQUIRE(layers.size() == 4);
  CHECK(layers[0].group.name == "outside layers");
  CHECK(layers[2].group.layer == 1);
  CHECK(layers[2].median_us == doctest::Approx(5 + 6 + 7 + 0.06));
  const auto stages = make_timing_rows(profile.plan, profile.tokens, ProfileRows::stages);
  CHECK(stages.size() == 11);
  double share = 0;
  for (const TimingTableRow& row : stages) share += row.share;
  CHECK(share < 1);
  CHECK(share > 0.95);
  CHECK(make_timing_rows(profile.plan, {}, ProfileRows::stages).size() == 11);
  CHECK(make_timing_rows(profile.plan, {}, ProfileRows::stages)[0].median_us == 0);
}

TEST_CASE("rows are sorted by a column and filtered by words") {
  const ProfileResult profile = tests::example_profile(3, 10);
  const auto rows = make_timing_rows(profile.plan, profile.tokens, ProfileRows::stages);
  const auto median = static_cast<int>(TimingColumn::median), name = static_cast<int>(TimingColumn::name);
  std::vector<int> all(11);
  std::iota(all.begin(), all.end(), 0);
  CHECK(arranged(rows, "", -1, true) == all);
  CHECK(arranged(rows, "", 99, true) == all);
  CHECK(arranged(rows, "", median, true).front() == 10);
  CHECK(arranged(rows, "", median, false) == all);
  CHECK(arranged(rows, "MIXER", -1, true) == std::vector<int>{2, 5, 8});
  CHECK(arranged(rows, "layer 1 proj", median, true) == std::vector<int>{6, 4});
  CHECK(arranged(rows, "nothing", -1, true).empty());
  CHECK(arranged(rows, "", name, false).front() == 0);                                   // embed
  CHECK(arranged(rows, "_proj", name, false) == std::vector<int>{1, 4, 7, 3, 6, 9});     // equal names as they were
  CHECK(arranged(rows, "", static_cast<int>(TimingColumn::bytes), true).front() == 10);  // the head
  CHECK(arranged({}, "x", median, true).empty());
}

TEST_CASE("the distribution of a stage, a kind, and the whole step") {
  const ProfileResult profile = tests::example_profile(3, 40);
  const TimingDistribution step = make_timing_distribution(profile.plan, profile.tokens, -1, -1);
  CHECK(step.title == "whole step");
  CHECK(step.tokens == 40);
  CHECK(step.median_us == doctest::Approx(66.5 + 0.22));  // 1 + .. + 11 us and 11 times 20 ns
  REQUIRE(step.outliers.size() == 1);
  CHECK(step.outliers[0].token == 17);
  CHECK(std::accumulate(step.counts.begin(), step.counts.end(), 0.0) == 39);
  const TimingDistribution stage = make_timing_distribution(profile.plan, profile.tokens, 5, 2);
  CHECK(stage.title == "mixer of layer 1");
  CHECK(stage.kind == static_cast<int>(engine::StageKind::mixer));
  CHECK(stage.median_us == doctest::Approx(6.02));
  CHECK(stage.p5_us <= stage.p25_us);
  CHECK(stage.p75_us <= stage.p95_us);
  CHECK(stage.max_us == doctest::Approx(60 + 0.4));
  const auto mixer = static_cast<int>(engine::StageKind::mixer);
  const TimingDistribution kind = make_timing_distribution(profile.plan, profile.tokens, -1, mixer);
  CHECK(kind.title == "mixer");
  CHECK(kind.median_us == doctest::Approx(3 + 6 + 9 + 0.06));
  const auto norm = static_cast<int>(engine::StageKind::norm);
  CHECK(make_timing_distribution(profile.plan, profile.tokens, -1, norm).tokens == 0);
  CHECK(make_timing_distribution(profile.plan, profile.tokens, 99, -1).title == "whole step");
  CHECK(make_timing_distribution(profile.plan, {}, -1, -1).counts.empty());
}
