// The axis of all tokens: what a frame asks for is bounded by its pixels, and at its finest it is every piece.
#include "app/viewmodel/run_timeline.h"

#include "tests/support/example_profile.h"

#include <doctest/doctest.h>

namespace {

std::size_t size_of(const app::RunTimeline::Range& range) { return static_cast<std::size_t>(range.end - range.begin); }

}  // namespace

TEST_CASE("a frame asks for no more blocks than it has pixels, and zoomed in for each piece") {
  const app::ProfileResult profile = tests::example_profile(12, 400);
  const app::RunTimeline run(profile.plan, profile.tokens);
  const std::size_t pieces = 400 * profile.plan.stages.size();
  CHECK(run.pieces() == pieces);
  CHECK(run.tokens() == 400);
  CHECK(run.lanes() == 1);
  const auto whole = run.blocks(0, 0, run.end_us(), 1000);
  CHECK(size_of(whole) <= 1000);
  CHECK(size_of(whole) >= 200);
  CHECK_FALSE(whole.pieces);
  // Nothing is lost on the way up.
  double busy = 0, fine = 0;
  for (const auto* block = whole.begin; block != whole.end; ++block) busy += block->busy_us;
  const auto all = run.blocks(0, 0, run.end_us(), pieces);
  REQUIRE(all.pieces);
  REQUIRE(size_of(all) == pieces);
  for (const auto* block = all.begin; block != all.end; ++block) fine += block->busy_us;
  CHECK(busy == doctest::Approx(fine));
  CHECK(run.piece(*all.begin).token == 8);
  // Token 17 begins where its step does.
  const double start = run.start_of(17);
  const auto one = run.blocks(0, start + 0.001, start + 20, 1000);
  CHECK(one.pieces);
  CHECK(run.piece(*one.begin).token == 17);
  CHECK(one.begin->busy_us == doctest::Approx(10 * 1.04));
  CHECK(run.start_of(5) < 0);
  CHECK(size_of(run.steps(0, run.end_us(), 100)) <= 100);
  CHECK(app::RunTimeline({}, {}).empty());
}

TEST_CASE("pieces that run at once lie in lanes of their own") {
  app::ProfileResult profile = tests::example_profile(1, 3);
  for (auto& token : profile.tokens) {
    auto changed = std::make_shared<profiler::TokenTimes>(*token);
    changed->stages[1].start_ns = changed->stages[0].start_ns + 100;
    token = changed;
  }
  const app::RunTimeline run(profile.plan, profile.tokens);
  CHECK(run.lanes() == 2);
  CHECK(size_of(run.blocks(1, -1, run.end_us(), 100)) == 3);
  CHECK(size_of(run.blocks(7, -1, run.end_us(), 100)) == 0);
}

TEST_CASE("a million pieces: each frame's share of work stays that of its pixels") {
  const app::ProfileResult profile = tests::example_profile(40, 8200);
  const app::RunTimeline run(profile.plan, profile.tokens);
  REQUIRE(run.pieces() >= 1'000'000);
  std::size_t most = 0;
  // From the whole run down to one token, around its middle.
  for (double span = run.end_us(); span > 100; span /= 3) {
    const double from = 0.5 * (run.end_us() - span);
    most = std::max(most, size_of(run.blocks(0, from, from + span, 1600)));
  }
  CHECK(most <= 1601);
}
