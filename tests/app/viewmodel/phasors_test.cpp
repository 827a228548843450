#include "app/viewmodel/phasors.h"

#include "app/viewmodel/shown.h"
#include "tests/support/elements.h"
#include "tests/support/fake_snapshot.h"

#include <doctest/doctest.h>

#include <cmath>

namespace {

// Channels of a pair as the model's layout has them, straight from the stored state.
app::Complex stored_pair(const engine::Snapshot& snapshot, std::int64_t index, int head, int row, int first,
                         int second) {
  const engine::LayerState& layer = snapshot.tokens[static_cast<std::size_t>(index)]->state->layers[0];
  const auto& config = snapshot.model->config();
  const std::size_t base = tests::elements(head * config.headdim + row, config.d_state);
  return {static_cast<double>(layer.ssm[base + static_cast<std::size_t>(first)]),
          static_cast<double>(layer.ssm[base + static_cast<std::size_t>(second)])};
}

app::Selection at(int head, int row, app::Frame frame) {
  app::Selection selection;
  selection.head = head;
  selection.row = row;
  selection.frame = frame;
  return selection;
}

}  // namespace

TEST_SUITE("app/viewmodel/phasors") {
  TEST_CASE("SISO pairs neighbours, MIMO pairs across half of N") {
    for (const bool mimo : {false, true}) {
      tests::FakeShape shape;
      shape.mimo = mimo;
      const auto snapshot = tests::fake_snapshot(shape, {1, 0, 1});
      const auto view = app::make_phasors(*snapshot, at(1, 3, app::Frame::stored), 2, 8);
      REQUIRE(view.recorded);
      REQUIRE(view.tracks.size() == 8);
      const app::Complex expected =
          mimo ? stored_pair(*snapshot, 2, 1, 3, 2, 10) : stored_pair(*snapshot, 2, 1, 3, 4, 5);
      CHECK(std::abs(view.tracks[2].trail.back() - expected) < 1e-12);
      CHECK(view.tracks[3].turns);
      CHECK_FALSE(view.tracks[4].turns);
    }
  }

  TEST_CASE("un-rotated phasors are the stored ones turned back by theta, and keep their magnitude") {
    const auto snapshot = tests::fake_snapshot({}, {1, 1, 0, 1});
    const auto stored = app::make_phasors(*snapshot, at(0, 1, app::Frame::stored), 3, 8);
    const auto turned = app::make_phasors(*snapshot, at(0, 1, app::Frame::unrotated), 3, 8);
    const engine::LayerState& layer = snapshot->tokens[3]->state->layers[0];
    for (std::size_t pair = 0; pair < 4; ++pair) {
      const double theta = static_cast<double>(layer.angle[pair]);
      const app::Complex expected = stored.tracks[pair].trail.back() * std::polar(1.0, -theta);
      CHECK(std::abs(turned.tracks[pair].trail.back() - expected) < 1e-6);
    }
    CHECK(turned.tracks[6].trail.back() == stored.tracks[6].trail.back());
    CHECK(stored.tracks[1].turn.back() == 0.0);
  }

  TEST_CASE("trails are as long as asked, and start after a token that was not recorded") {
    auto snapshot = tests::fake_snapshot({}, {1, 0, 1, 0, 1, 1});
    CHECK(app::make_phasors(*snapshot, at(0, 0, app::Frame::unrotated), 5, 3).tracks[0].trail.size() == 3);
    CHECK(app::make_phasors(*snapshot, at(0, 0, app::Frame::unrotated), 5, 0).tracks[0].trail.size() == 1);
    auto gap = std::make_shared<engine::TokenRecord>(*snapshot->tokens[2]);
    auto without = std::make_shared<engine::SequenceState>(*gap->state);
    without->layers[0].ssm.clear();
    gap->state = without;
    snapshot->tokens.replace(2, gap);
    const auto view = app::make_phasors(*snapshot, at(0, 0, app::Frame::unrotated), 5, 24);
    CHECK(view.first_token == 3);
    CHECK(view.tracks[0].trail.size() == 3);
    CHECK_FALSE(app::make_phasors(*snapshot, at(0, 0, app::Frame::unrotated), 2, 24).recorded);
  }

  TEST_CASE("a step's path begins and ends at its tokens, and half-way through half a turn it has turned a quarter") {
    const app::Complex before(1, 0), after(-0.9, 0);
    CHECK(std::abs(app::along_step(before, after, 3.14159265358979, 0.9, 0) - before) < 1e-12);
    CHECK(std::abs(app::along_step(before, after, 3.14159265358979, 0.9, 1) - after) < 1e-9);
    CHECK(std::arg(app::along_step(before, after, 3.14159265358979, 0.9, 0.5)) == doctest::Approx(-1.5707963));
  }

  TEST_CASE("empty, one token, not finite, huge") {
    CHECK_FALSE(app::make_phasors(*tests::fake_snapshot({}, {}), {}, -1, 24).recorded);
    auto one = tests::fake_snapshot({}, {1});
    CHECK(app::make_phasors(*one, {}, 0, 24).tracks[0].trail.size() == 1);
    auto odd = std::make_shared<engine::TokenRecord>(*one->tokens[0]);
    auto state = std::make_shared<engine::SequenceState>(*odd->state);
    state->layers[0].ssm[0] = NAN;
    state->layers[0].ssm[2] = 3e38F;
    odd->state = state;
    one->tokens.replace(0, odd);
    const auto view = app::make_phasors(*one, {}, 0, 24);
    CHECK(std::isfinite(view.radius));
    CHECK(view.radius >= 2.9e38);
  }
}
