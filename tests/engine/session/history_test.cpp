// The history's budget, alone and under a session: thinned keyframes, stripped records, and still the same bits.
#include "engine/session/history.h"

#include "tests/engine/session/session_support.h"

#include <doctest/doctest.h>

using namespace engine;

namespace {

constexpr std::uint64_t state_bytes = 4096;

std::shared_ptr<const SequenceState> make_state(std::int64_t position) {
  auto state = std::make_shared<SequenceState>();
  state->position = position;
  state->layers.resize(1);
  state->layers[0].k.resize(state_bytes / 4);
  return state;
}

std::shared_ptr<const TokenRecord> make_record(std::int64_t position, std::shared_ptr<const SequenceState> state) {
  auto record = std::make_shared<TokenRecord>();
  record->position = position;
  record->top.resize(16);
  record->state = std::move(state);
  return record;
}

// One track in use.
struct OneTrack {
  History history;
  std::shared_ptr<Track> track = history.make();
  OneTrack(std::uint64_t budget, int interval) : history(budget, interval, 1) { history.use(track); }
  void push(std::int64_t i, const std::shared_ptr<const SequenceState>& state, bool keyframe) {
    history.put(i, make_record(i, state), keyframe ? state : nullptr);
  }
};

}  // namespace

TEST_CASE("keyframes that records hold cost nothing; the nearest before a position is found") {
  OneTrack one(std::uint64_t{1} << 20, 1);
  for (std::int64_t i = 0; i < 10; ++i) one.push(i, make_state(i + 1), true);
  CHECK(one.history.bytes() < 10 * (state_bytes + 1000));
  CHECK(one.track->keyframe_before(7)->position == 7);
  CHECK(one.track->keyframe_before(0) == nullptr);
  one.track->truncate(4);
  CHECK(one.track->keyframe_before(7)->position == 4);
  CHECK(one.history.bytes() < 4 * (state_bytes + 1000));
  one.track->truncate(0);
  CHECK(one.history.bytes() == 0);
  CHECK(one.track->keyframe_before(7) == nullptr);
}

TEST_CASE("the budget holds, the newest record stays whole, keyframes stay spread") {
  constexpr std::uint64_t budget = 64 * state_bytes;
  OneTrack one(budget, 1);
  for (std::int64_t i = 0; i < 200; ++i) {
    one.push(i, make_state(i + 1), one.history.wants_keyframe(i + 1));
    CHECK(one.history.bytes() <= budget);
    CHECK(holds_state(*one.track->tokens().back()));
    CHECK(one.track->tokens().back()->top.size() == 16);
  }
  CHECK_FALSE(holds_state(*one.track->tokens()[0]));
  CHECK(one.track->tokens()[0]->state->layers.size() == 1);
  CHECK(one.track->tokens()[0]->top.size() == 16);  // states go first
  std::int64_t widest = 0;
  for (std::int64_t i = 20; i < 200; ++i) {
    const auto keyframe = one.track->keyframe_before(i);
    const std::int64_t at = keyframe == nullptr ? 0 : keyframe->position;
    widest = std::max(widest, i - at);
  }
  CHECK(widest <= 16);
  CHECK_FALSE(one.history.wants_keyframe(3));
  one.track->truncate(50);
  CHECK(one.history.bytes() <= budget);
  one.track->truncate(0);
  CHECK(one.history.bytes() == 0);
}

TEST_CASE("when states are not enough, details of the oldest records go too") {
  OneTrack one(40000, 1);
  for (std::int64_t i = 0; i < 80; ++i) one.push(i, make_state(i + 1), false);
  CHECK(one.history.bytes() <= 40000);
  CHECK(one.track->tokens()[0]->top.empty());
  CHECK(one.track->tokens()[0]->position == 0);
  CHECK(one.track->tokens().back()->top.size() == 16);
}

TEST_CASE("a record that is filled again counts again and goes first again") {
  constexpr std::uint64_t budget = 20 * state_bytes;
  OneTrack one(budget, 1000);
  for (std::int64_t i = 0; i < 40; ++i) one.push(i, make_state(i + 1), false);
  one.push(5, make_state(6), false);
  CHECK(holds_state(*one.track->tokens()[5]));
  CHECK(one.history.bytes() <= budget);
  one.push(40, make_state(41), false);
  CHECK_FALSE(holds_state(*one.track->tokens()[5]));
  CHECK(one.history.bytes() <= budget);
}

TEST_CASE("a session with a small budget still steps back to the same bits, and fills the record it comes to") {
  SessionOptions roomy = sampling_options();
  SessionOptions tight = roomy;
  tight.history_budget_bytes = 60000;
  const FakeSession a(roomy), b(tight);
  for (const FakeSession* s : {&a, &b}) {
    s->post(warm_sampler());
    s->post(command::Prompt{{3, 1}});
  }
  const auto whole = a.after(command::Step{301});
  const auto first = b.after(command::Step{300});
  CHECK(first->history_bytes <= 300 * 600 + 60000);
  CHECK_FALSE(holds_state(*first->tokens[100]));
  CHECK(same_bits(*first->tokens[299], *whole->tokens[299]));
  for (const std::int64_t target : {299, 250, 101, 100, 37, 1}) {
    CAPTURE(target);
    const auto back = b.after(command::Seek{target});
    REQUIRE(back->tokens.size() == static_cast<std::size_t>(target));
    CHECK(same_bits(*back->tokens.back(), *whole->tokens[static_cast<std::size_t>(target - 1)]));
    const auto next = b.after(command::Step{2});
    CHECK(same_bits(*next->tokens.back(), *whole->tokens[static_cast<std::size_t>(target + 1)]));
  }
}

TEST_CASE("large states: only the watched layer is recorded, keyframes are sparse, bits are the same") {
  SessionOptions options = sampling_options();
  options.record_state_bytes = 100;  // less than the fake model's state
  const FakeSession a(sampling_options()), b(options);
  for (const FakeSession* s : {&a, &b}) s->post(command::Watch{1});
  const auto whole = a.after(command::Step{100});
  const auto sparse = b.after(command::Step{100});
  const SequenceState& state = *sparse->tokens[50]->state;
  CHECK(state.layers[0].ssm.empty());
  CHECK_FALSE(state.layers[0].k.empty());
  CHECK(same_bits(state.layers[1], whole->tokens[50]->state->layers[1]));
  CHECK(sparse->watched_layer == 1);

  const int steps = b.counters->steps;
  const auto back = b.after(command::Seek{40});
  CHECK(b.counters->steps - steps <= 16);
  CHECK(same_bits(back->tokens[39]->state->layers[1], whole->tokens[39]->state->layers[1]));
  const auto again = b.after(command::Step{60});
  CHECK(same_bits(again->tokens[99]->state->layers[1], whole->tokens[99]->state->layers[1]));

  // A newly watched layer is in the newest record at once.
  const auto watched = b.after(command::Watch{2});
  CHECK(same_bits(watched->tokens[99]->state->layers[2], whole->tokens[99]->state->layers[2]));
  CHECK(watched->tokens[99]->state->layers[1].ssm.empty());
}
