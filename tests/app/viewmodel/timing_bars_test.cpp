#include "app/viewmodel/timing_bars.h"

#include "app/viewmodel/shape_note.h"

#include <doctest/doctest.h>

#include <limits>
#include <tuple>

namespace {

using engine::StageKind;

// embed, two layers of in_proj and out_proj, head; 1,000 bytes each.
engine::StepPlan plan_of_two() {
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
  for (int layer = 0; layer < 2; ++layer) {
    add(layer, StageKind::in_proj);
    add(layer, StageKind::out_proj);
  }
  add(-1, StageKind::head);
  return plan;
}

// Stages of `each_ns` with gaps of 500 ns before them, after an upload of 200 ns.
std::shared_ptr<const profiler::TokenTimes> times_of(const engine::StepPlan& plan, std::uint32_t token,
                                                     std::int64_t each_ns) {
  auto times = std::make_shared<profiler::TokenTimes>();
  times->source = profiler::TimeSource::cupti;
  times->token = token;
  times->wall_start_ns = 1'000'000;
  std::int64_t now = times->wall_start_ns;
  const auto add = [&](std::uint16_t stage, std::int64_t gap, std::int64_t length) {
    profiler::StageTime time;
    time.tag = {1, token, stage};
    now += gap;
    time.start_ns = now;
    time.duration_ns = length;
    now += length;
    times->stages.push_back(time);
  };
  add(profiler::between_stages, 0, 200);
  for (const engine::Stage& stage : plan.stages) add(static_cast<std::uint16_t>(stage.id), 500, each_ns);
  times->wall_ns = now - times->wall_start_ns;
  return times;
}

}  // namespace

TEST_CASE("a token's bar: kinds in order, other work, gaps, together the wall time") {
  const engine::StepPlan plan = plan_of_two();
  const std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens = {
      times_of(plan, 0, 1000), times_of(plan, 1, 2000), times_of(plan, 2, 9000)};
  const app::TimingTable table = app::make_timing_table(plan, tokens);
  const app::StepBar bar = app::make_token_bar(plan, *tokens[2], table);
  CHECK(bar.token == 2);
  CHECK(bar.tokens == 3);
  REQUIRE(bar.parts.size() == 6);
  CHECK(bar.parts[1].kind == static_cast<int>(StageKind::in_proj));
  CHECK(bar.parts[1].start_us == doctest::Approx(9));
  CHECK(bar.parts[1].length_us == doctest::Approx(18));  // of two layers
  CHECK(bar.parts[1].stages == 2);
  CHECK(bar.parts[1].median_us == doctest::Approx(4));
  CHECK(bar.parts[1].bytes == 2000);
  CHECK(bar.parts[1].gb_per_s == doctest::Approx(2000 / 18e3));
  CHECK(bar.parts[4].kind == app::other_work);
  CHECK(bar.parts[4].length_us == doctest::Approx(0.2));
  CHECK(bar.parts[5].kind == app::nothing_ran);
  CHECK(bar.parts[5].length_us == doctest::Approx(3));
  CHECK(bar.end_us == doctest::Approx(bar.wall_us));
  double share = 0;
  for (const app::BarPart& part : bar.parts) share += part.share;
  CHECK(share == doctest::Approx(1));
}

TEST_CASE("the bar of medians tells the median step from the sum of the parts") {
  const engine::StepPlan plan = plan_of_two();
  auto odd = std::make_shared<profiler::TokenTimes>(*times_of(plan, 2, 1000));
  odd->stages[1].duration_ns = 30;  // embed; the time goes to the gap
  odd->stages[2].duration_ns += 400;
  const std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens = {times_of(plan, 0, 1000),
                                                                           times_of(plan, 1, 1200), odd};
  const app::TimingTable table = app::make_timing_table(plan, tokens);
  const app::StepBar bar = app::make_median_bar(table);
  CHECK(bar.token == -1);
  CHECK(bar.wall_us == doctest::Approx(table.wall_us));
  CHECK(bar.parts.front().length_us == doctest::Approx(1));
  CHECK(bar.parts.front().spread_us == doctest::Approx(0.2));
  CHECK(bar.end_us > bar.wall_us);
  CHECK(bar.parts.back().kind == app::nothing_ran);
  CHECK(bar.parts.back().spread_us == doctest::Approx(table.gaps_spread_us));
}

TEST_CASE("a token far from the median names the part that makes it so") {
  app::StepBar bar;
  bar.wall_us = 10;
  for (const auto& [kind, length, median] : {std::tuple{3, 6.7, 3.9}, {4, 1.0, 0.8}, {app::nothing_ran, 0.5, 0.9}}) {
    app::BarPart part;
    part.kind = kind;
    part.length_us = length;
    part.median_us = median;
    bar.parts.push_back(part);
  }
  const auto above = app::off_median(bar, 7.2);
  REQUIRE(above.has_value());
  CHECK(above->us == doctest::Approx(2.8));
  CHECK(above->kind == 3);
  CHECK(above->part_us == doctest::Approx(2.8));
  const auto below = app::off_median(bar, 12);
  REQUIRE(below.has_value());
  CHECK(below->kind == app::nothing_ran);
  CHECK(below->part_us == doctest::Approx(-0.4));
  CHECK_FALSE(app::off_median(bar, 9.5).has_value());  // within a tenth
  CHECK_FALSE(app::off_median(bar, 0).has_value());
  bar.parts.clear();
  CHECK_FALSE(app::off_median(bar, 7.2).has_value());
}

TEST_CASE("a part is found by its place; beside the bar there is none") {
  const engine::StepPlan plan = plan_of_two();
  const auto times = times_of(plan, 0, 1000);
  const std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens = {times};
  const app::StepBar bar = app::make_token_bar(plan, *times, app::make_timing_table(plan, tokens));
  REQUIRE(app::part_at(bar, 0) != nullptr);
  CHECK(app::part_at(bar, 0)->kind == static_cast<int>(StageKind::embed));
  CHECK(app::part_at(bar, 1.5)->kind == static_cast<int>(StageKind::in_proj));
  CHECK(app::part_at(bar, bar.end_us - 1e-6)->kind == app::nothing_ran);
  CHECK(app::part_at(bar, bar.end_us + 1e-6) == nullptr);
  CHECK(app::part_at(bar, -1) == nullptr);
}

TEST_CASE("without stage times a bar has a wall time and no parts: unknown is not idle") {
  const engine::StepPlan plan = plan_of_two();
  auto times = std::make_shared<profiler::TokenTimes>();
  times->wall_ns = 5000;
  const std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens = {times};
  const app::TimingTable table = app::make_timing_table(plan, tokens);
  CHECK(app::make_token_bar(plan, *times, table).wall_us == doctest::Approx(5));
  CHECK(app::make_token_bar(plan, *times, table).parts.empty());
  CHECK(app::make_median_bar(table).parts.empty());
  CHECK(app::make_median_bar(app::make_timing_table(plan, {})).parts.empty());
}

TEST_CASE("the axis of bars rests: it grows when it has to and shrinks when it is twice too long") {
  const double first = app::steady_axis_end(10, 0.2, 0);
  CHECK(first == doctest::Approx(13));
  CHECK(app::steady_axis_end(9, 0.2, first) == first);
  CHECK(app::steady_axis_end(11, 0.2, first) > first);
  CHECK(app::steady_axis_end(2, 0.2, first) == doctest::Approx(2.5));
  CHECK(app::steady_axis_end(0, 0.2, 0) == 1);
  CHECK(app::steady_axis_end(std::numeric_limits<double>::quiet_NaN(), 0.2, 7) == 7);
  CHECK(app::steady_axis_end(1, 5.0, 0) == doctest::Approx(5));  // text takes 80 % at most
}

TEST_CASE("what two shapes differ in besides the rank is said") {
  engine::ModelConfig siso, mimo;
  mimo.is_mimo = true;
  mimo.mimo_rank = 4;
  CHECK(app::note_on_shapes(siso, mimo).brief == "SISO beside MIMO R = 4, otherwise one shape");
  CHECK(app::note_on_shapes(siso, mimo).difference.empty());
  siso.d_intermediate = 4096;
  mimo.d_intermediate = 3000;
  CHECK(app::note_on_shapes(siso, mimo).brief == "SISO beside MIMO R = 4, also MLP width 4096 and 3072");
  mimo.n_layer = 24;
  CHECK(app::note_on_shapes(siso, mimo).brief == "SISO beside MIMO R = 4, 2 other differences");
  CHECK(app::note_on_shapes(siso, mimo).difference == "layers 64 and 24, MLP width 4096 and 3072");
  CHECK(app::note_on_shapes(mimo, mimo).brief == "both MIMO R = 4, otherwise one shape");
}
