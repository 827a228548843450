#include "app/viewmodel/live_times.h"

#include "app/viewmodel/timing_distribution.h"
#include "app/viewmodel/timing_rows.h"
#include "app/viewmodel/timing_view.h"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <span>
#include <vector>

namespace {

using Token = std::shared_ptr<const profiler::TokenTimes>;

constexpr int layers = 24, per_layer = 10;

engine::StepPlan large_plan() {
  engine::StepPlan plan;
  for (int layer = 0; layer < layers; ++layer)
    for (int i = 0; i < per_layer; ++i) {
      engine::Stage stage;
      stage.id = static_cast<int>(plan.stages.size());
      stage.layer = layer;
      stage.kind = static_cast<engine::StageKind>(1 + i);
      stage.cost.bytes_read = static_cast<std::uint64_t>(1000 + 7 * stage.id);
      plan.stages.push_back(stage);
    }
  return plan;
}

// A piece for each stage but a few, some that overlap the one before them, and work between stages.
Token token_of(const engine::StepPlan& plan, std::uint32_t token, bool overlapping) {
  std::mt19937 random(token);
  auto out = std::make_shared<profiler::TokenTimes>();
  out->source = profiler::TimeSource::cupti;
  out->token = token;
  out->wall_start_ns = 1'000'000LL * token;
  std::int64_t at = out->wall_start_ns + 500;
  for (const engine::Stage& stage : plan.stages) {
    if (random() % 50 == 0) continue;
    profiler::StageTime piece;
    piece.tag = {1, token, random() % 40 == 0 ? profiler::between_stages : static_cast<std::uint16_t>(stage.id)};
    piece.start_ns = overlapping && random() % 3 == 0 ? at - 300 : at;
    piece.duration_ns = 1000 + static_cast<std::int64_t>(random() % 3000) + (token == 40 ? 200'000 : 0);
    out->stages.push_back(piece);
    at = piece.start_ns + piece.duration_ns + static_cast<std::int64_t>(random() % 100);
  }
  out->wall_ns = at - out->wall_start_ns;
  return out;
}

void check_same(const engine::StepPlan& plan, const std::vector<Token>& tokens, const app::LiveTimes& live) {
  const app::TimingTable a = app::make_timing_table(plan, tokens), b = app::make_timing_table(plan, live);
  CHECK(a.tokens == b.tokens);
  CHECK(a.clock == b.clock);
  CHECK(a.wall_us == b.wall_us);
  CHECK(a.stages_us == b.stages_us);
  CHECK(a.between_us == b.between_us);
  CHECK(a.gaps_spread_us == b.gaps_spread_us);
  REQUIRE(a.kinds.size() == b.kinds.size());
  for (std::size_t i = 0; i < a.kinds.size(); ++i) {
    CHECK(a.kinds[i].median_us == b.kinds[i].median_us);
    CHECK(a.kinds[i].spread_us == b.kinds[i].spread_us);
  }
  for (const app::ProfileRows by : {app::ProfileRows::kinds, app::ProfileRows::layers, app::ProfileRows::stages}) {
    const auto rows = app::make_timing_rows(plan, tokens, by), kept = app::make_timing_rows(plan, live, by);
    REQUIRE(rows.size() == kept.size());
    bool same = true;
    for (std::size_t i = 0; i < rows.size(); ++i)
      same = same && rows[i].median_us == kept[i].median_us && rows[i].p95_us == kept[i].p95_us &&
             rows[i].tokens == kept[i].tokens && rows[i].outliers == kept[i].outliers && rows[i].share == kept[i].share;
    CHECK(same);
  }
  for (const int stage : {-1, 17}) {
    const auto counted = app::make_timing_distribution(plan, tokens, stage, -1);
    const auto kept = app::make_timing_distribution(plan, live, stage, -1);
    CHECK(counted.counts == kept.counts);
    CHECK(counted.waiting_out == kept.waiting_out);
    CHECK(counted.outliers.size() == kept.outliers.size());
  }
}

}  // namespace

TEST_CASE("times that are kept while tokens come are those counted from the tokens") {
  const engine::StepPlan plan = large_plan();
  for (const bool overlapping : {false, true}) {
    std::vector<Token> tokens;
    app::LiveTimes live;
    for (std::uint32_t token = 0; token < 60; ++token) {
      tokens.push_back(token_of(plan, token, overlapping));
      CHECK(live.take(tokens, plan.stages.size()));
    }
    CHECK(live.taken_apart() == 60);  // each once
    CHECK(live.clock() == (overlapping ? profiler::StageClock::waiting_out : profiler::StageClock::recorded));
    check_same(plan, tokens, live);
    tokens.erase(tokens.begin(), tokens.begin() + 20);
    tokens.back() = token_of(plan, 200, overlapping);  // stepped again
    CHECK(live.take(tokens, plan.stages.size()));
    CHECK(live.taken_apart() == 61);
    check_same(plan, tokens, live);
  }
}

TEST_CASE("a call takes no more tokens apart than a frame has time for, the newest first") {
  const engine::StepPlan plan = large_plan();
  std::vector<Token> tokens;
  for (std::uint32_t token = 0; token < 256; ++token) tokens.push_back(token_of(plan, token, false));
  app::LiveTimes live;
  CHECK_FALSE(live.take(tokens, plan.stages.size()));
  const std::size_t first = live.count();
  CHECK(first > 0);
  CHECK(first * plan.stages.size() < 2 * app::LiveTimes::pieces_at_once);
  CHECK(live.wall().tokens.back() == 255);
  CHECK(live.wall().tokens.front() == 256 - first);
  int calls = 1;
  while (!live.take(tokens, plan.stages.size())) REQUIRE(++calls < 256);
  CHECK(live.count() == 256);
  CHECK(live.taken_apart() == 256);
  check_same(plan, tokens, live);
}

TEST_CASE("another plan, and no tokens") {
  const engine::StepPlan plan = large_plan();
  app::LiveTimes live;
  CHECK(live.take({}, plan.stages.size()));
  CHECK(live.count() == 0);
  CHECK(app::make_timing_table(plan, live).wall_us == 0);
  const std::vector<Token> tokens = {token_of(plan, 1, false)};
  CHECK(live.take(tokens, plan.stages.size()));
  CHECK(live.take(tokens, 3));  // stages beyond belong to no group
  CHECK(live.taken_apart() == 2);
  const std::vector<int> one(3, 0);
  CHECK(live.groups(one, 1).front().times_ns.size() == 1);
}
