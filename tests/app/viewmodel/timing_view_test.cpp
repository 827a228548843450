#include "app/viewmodel/timing_view.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace {

using engine::StageKind;

// embed; per layer in_proj and out_proj; head. Bytes: 1000 for each stage.
engine::StepPlan plan_of(int layers) {
  engine::StepPlan plan;
  const auto add = [&](int layer, StageKind kind) {
    engine::Stage stage;
    stage.id = static_cast<int>(plan.stages.size());
    stage.layer = layer;
    stage.kind = kind;
    stage.cost.bytes_read = 1000;
    plan.stages.push_back(stage);
  };
  add(-1, StageKind::embed);
  for (int layer = 0; layer < layers; ++layer) {
    add(layer, StageKind::in_proj);
    add(layer, StageKind::out_proj);
  }
  add(-1, StageKind::head);
  return plan;
}

// Each stage takes `each_ns`, with a gap of 1,000 ns before it.
std::shared_ptr<const profiler::TokenTimes> times_of(const engine::StepPlan& plan, std::uint32_t token,
                                                     std::int64_t each_ns) {
  auto times = std::make_shared<profiler::TokenTimes>();
  times->source = profiler::TimeSource::cpu_clock;
  times->token = token;
  std::int64_t now = 5'000'000;
  times->wall_start_ns = now;
  for (const engine::Stage& stage : plan.stages) {
    profiler::StageTime time;
    time.tag = {1, token, static_cast<std::uint16_t>(stage.id)};
    now += 1000;
    time.start_ns = now;
    time.duration_ns = each_ns;
    now += each_ns;
    times->stages.push_back(time);
  }
  times->wall_ns = now - times->wall_start_ns;
  return times;
}

}  // namespace

TEST_CASE("a small model has a row for its layer and one for the head") {
  const engine::StepPlan plan = plan_of(1);
  const app::TokenTimeline timeline = app::make_timeline(plan, *times_of(plan, 7, 3000), 4);
  CHECK(timeline.token == 7);
  REQUIRE(timeline.rows.size() == 2);
  CHECK(timeline.rows[0].label == "layer 0");
  CHECK(timeline.rows[0].bars.size() == 3);  // embed, in_proj, out_proj
  CHECK(timeline.rows[0].bars[0].start_us == 0);
  CHECK(timeline.rows[0].bars[1].start_us == doctest::Approx(4));
  CHECK(timeline.rows[0].length_us == doctest::Approx(11));
  CHECK(timeline.rows[1].bars.size() == 1);
  CHECK(timeline.rows[1].bars[0].start_us == 0);
  CHECK(timeline.wall_us == doctest::Approx(16));
  CHECK(timeline.stages_us == doctest::Approx(12));
  CHECK(timeline.gaps_us == doctest::Approx(4));
}

TEST_CASE("many layers share the rows, none is lost") {
  const engine::StepPlan plan = plan_of(24);
  const app::TokenTimeline timeline = app::make_timeline(plan, *times_of(plan, 0, 100), 4);
  REQUIRE(timeline.rows.size() == 4);
  CHECK(timeline.rows[0].label == "layer 0–7");
  CHECK(timeline.rows[2].label == "layer 16–23");
  std::size_t bars = 0;
  for (const app::TimingRow& row : timeline.rows) bars += row.bars.size();
  CHECK(bars == plan.stages.size());
}

TEST_CASE("a plan whose stages all lie outside the layers, and one without stages, have the row of the rest alone") {
  engine::StepPlan plan = plan_of(0);
  REQUIRE(plan.stages.size() == 2);  // embed, head
  const app::TokenTimeline timeline = app::make_timeline(plan, *times_of(plan, 3, 3000), 4);
  REQUIRE(timeline.rows.size() == 1);
  CHECK(timeline.rows[0].label == "rest");
  CHECK(timeline.rows[0].bars.size() == 2);
  CHECK(timeline.longest_row_us == doctest::Approx(7));
  const auto times = times_of(plan, 3, 3000);
  plan.stages.clear();
  const app::TokenTimeline empty = app::make_timeline(plan, *times, 4);
  REQUIRE(empty.rows.size() == 1);
  CHECK(empty.rows[0].bars.empty());
}

TEST_CASE("a step without stage times, and stages beyond the plan") {
  const engine::StepPlan plan = plan_of(2);
  profiler::TokenTimes wall_only;
  wall_only.wall_ns = 2000;
  CHECK(app::make_timeline(plan, wall_only, 3).wall_us == doctest::Approx(2));
  profiler::TokenTimes strange = *times_of(plan, 0, 100);
  strange.stages[0].tag.stage = profiler::between_stages;
  CHECK(app::make_timeline(plan, strange, 3).rows[0].bars.size() == 2);
}

TEST_CASE("the table: medians over tokens, bytes of all layers, bandwidth and share") {
  const engine::StepPlan plan = plan_of(2);
  const std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens = {
      times_of(plan, 0, 1000), times_of(plan, 1, 2000), times_of(plan, 2, 9000)};
  const app::TimingTable table = app::make_timing_table(plan, tokens);
  CHECK(table.tokens == 3);
  REQUIRE(table.kinds.size() == 4);
  const app::KindTimes& in_proj = table.kinds[1];
  CHECK(in_proj.kind == static_cast<int>(StageKind::in_proj));
  CHECK(in_proj.stages == 2);
  CHECK(in_proj.median_us == doctest::Approx(4));
  CHECK(in_proj.spread_us == doctest::Approx(2));
  CHECK(in_proj.bytes == 2000);
  CHECK(in_proj.gb_per_s == doctest::Approx(0.5));
  CHECK(table.wall_us == doctest::Approx(18));
  CHECK(table.gaps_us == doctest::Approx(6));
  double share = 0;
  for (const app::KindTimes& kind : table.kinds) share += kind.share;
  CHECK(share > 0.5);
  CHECK(share < 1);
}

TEST_CASE("the table before the first token names the stages and claims nothing") {
  const engine::StepPlan plan = plan_of(1);
  const app::TimingTable table = app::make_timing_table(plan, {});
  CHECK(table.tokens == 0);
  REQUIRE(table.kinds.size() == 4);
  CHECK(table.kinds[0].median_us == 0);
  CHECK(table.kinds[0].gb_per_s == 0);
}

TEST_CASE("three digits whatever the size") {
  CHECK(app::three_digits(1.234) == "1.23");
  CHECK(app::three_digits(12.34) == "12.3");
  CHECK(app::three_digits(1234.5) == "1234");
  CHECK(app::three_digits(0) == "0.00");
  CHECK(app::three_digits(-12.34) == "-12.3");
  CHECK(app::three_digits(2.5e9) == "2.5e+09");
  CHECK(app::three_digits(4e-7) == "<0.01");
  CHECK(app::three_digits(std::nan("")) == "–");
  CHECK(app::three_digits(std::numeric_limits<double>::infinity()) == "–");
}
