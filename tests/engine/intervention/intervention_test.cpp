// Interventions as values: what a list of them composes to, where it holds, what is refused and how it is told.
#include "engine/intervention/intervention.h"

#include "engine/intervention/no_effect.h"
#include "tests/support/intervention_cases.h"

#include <algorithm>
#include <cmath>
#include <limits>

using engine::IndexRange;
using engine::Intervention;
using engine::Operation;
using engine::Quantity;
using tests::intervention;
using tests::only;

namespace {

engine::ModelConfig config_of(int rank) {
  engine::ModelConfig config;
  config.d_model = 64;
  config.n_layer = 3;
  config.headdim = 32;
  config.d_state = 64;
  config.is_mimo = rank > 1;
  config.mimo_rank = rank;
  return config;
}

engine::SequenceChanges at(const std::vector<Intervention>& list, std::int64_t position = 0) {
  return engine::changes_at(list, config_of(4), position);
}

}  // namespace

TEST_CASE("interventions compose: a later one takes the result of the earlier") {
  const Intervention twice = intervention(Quantity::dt, Operation::scale, 2);
  const Intervention more = intervention(Quantity::dt, Operation::add, 0.5);
  const Intervention fixed = intervention(Quantity::dt, Operation::set, 3);
  const auto dt = [](const engine::SequenceChanges& changes) { return changes.heads.at(0).dt; };
  CHECK(dt(at({twice, more})).scale == 2);
  CHECK(dt(at({twice, more})).offset == 0.5);
  CHECK(dt(at({more, twice})).offset == 1);
  CHECK(dt(at({more, fixed})).scale == 0);
  CHECK(dt(at({more, fixed})).offset == 3);
  CHECK(dt(at({fixed, twice, more})).offset == 6.5);
  CHECK(at({twice}).heads.size() == 3 * 4);
  CHECK(at({twice}).ranks.empty());
  CHECK(at({twice}).pairs.empty());
  CHECK(std::signbit(at({twice}).heads[0].dt.offset));  // -0: a zero keeps its sign
}

TEST_CASE("interventions: none is what changes nothing") {
  CHECK(at({}).none());
  CHECK(at({intervention(Quantity::d, Operation::scale, 1)}).none());
  CHECK(at({intervention(Quantity::d, Operation::add, 0)}).none());
  CHECK(at({intervention(Quantity::a, Operation::scale, 2), intervention(Quantity::a, Operation::scale, 0.5)}).none());
  CHECK(at({intervention(Quantity::b_bias, Operation::add, 1), intervention(Quantity::b_bias, Operation::add, -1)})
            .none());
  CHECK(at({intervention(Quantity::state, Operation::scale, 1)}).none());
  CHECK(at({intervention(Quantity::rotation, Operation::scale, -1),
            intervention(Quantity::rotation, Operation::scale, -1)})
            .none());
  Intervention late = intervention(Quantity::d, Operation::scale, 0);
  late.tokens = {5, 7};
  for (const std::int64_t position : {0, 4, 7, 100}) CHECK(at({late}, position).none());
  for (const std::int64_t position : {5, 6}) CHECK_FALSE(at({late}, position).none());
  // Not neutral: exactly zero.
  CHECK_FALSE(at({intervention(Quantity::d, Operation::set, 0)}).none());
}

TEST_CASE("interventions reach the layers, heads, ranks and pairs of their ranges and no others") {
  const engine::ModelConfig config = config_of(4);
  Intervention by = intervention(Quantity::rank_read, Operation::scale, 0.25);
  by.layers = {1, -1};
  by.heads = {0, 2};
  by.ranks = only(3);
  const auto ranks = at({by}).ranks;
  REQUIRE(ranks.size() == 3 * 4 * 4);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const bool reached = i / 16 >= 1 && i / 4 % 4 < 2 && i % 4 == 3;
    CHECK(ranks[i].read.scale == (reached ? 0.25F : 1.0F));
    CHECK(ranks[i].write.scale == 1);
    CHECK(ranks[i].b_bias.scale == 1);
  }
  by = intervention(Quantity::rotation, Operation::set, 0.5);
  by.layers = only(2);
  by.heads = only(1);
  by.pairs = {3, 5};
  const auto pairs = at({by}).pairs;
  const auto angles = static_cast<std::size_t>(config.angles());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const bool reached = i / angles == 2 * 4 + 1 && i % angles >= 3 && i % angles < 5;
    CHECK(pairs[i].advance.scale == (reached ? 0.0F : 1.0F));
    CHECK(pairs[i].source == static_cast<int>(i % angles));
  }
  by = intervention(Quantity::state, Operation::add, 2);
  by.layers = only(1);
  by.row = 4;
  by.channel = 6;
  const auto cells = at({by, by}).cells;
  REQUIRE(cells.size() == 4);
  for (int h = 0; h < 4; ++h) {
    CHECK(cells[static_cast<std::size_t>(h)].head == h);
    CHECK(cells[static_cast<std::size_t>(h)].layer == 1);
    CHECK(cells[static_cast<std::size_t>(h)].value.offset == 4);
  }
}

TEST_CASE("interventions: each quantity has its place in the tables") {
  const auto scale = [](Quantity quantity) { return at({intervention(quantity, Operation::scale, 3)}); };
  CHECK(scale(Quantity::lambda).heads[5].lambda.scale == 3);
  CHECK(scale(Quantity::dt).heads[5].dt.scale == 3);
  CHECK(scale(Quantity::a).heads[5].a.scale == 3);
  CHECK(scale(Quantity::d).heads[5].d.scale == 3);
  CHECK(scale(Quantity::head).heads[5].output.scale == 3);
  CHECK(scale(Quantity::b_bias).ranks[7].b_bias.scale == 3);
  CHECK(scale(Quantity::c_bias).ranks[7].c_bias.scale == 3);
  CHECK(scale(Quantity::rank_write).ranks[7].write.scale == 3);
  CHECK(scale(Quantity::rank_read).ranks[7].read.scale == 3);
  CHECK(scale(Quantity::rotation).pairs[7].advance.scale == 3);
  CHECK(scale(Quantity::state).cells[0].value.scale == 3);
}

TEST_CASE("a shuffle is a permutation of its pairs, the same for all heads, another for each layer and seed") {
  const engine::ModelConfig config = config_of(4);
  const auto angles = static_cast<std::size_t>(config.angles());
  const auto sources = [&](const engine::SequenceChanges& changes, std::size_t layer, std::size_t head) {
    std::vector<int> found;
    for (std::size_t i = 0; i < angles; ++i) found.push_back(changes.pairs[(layer * 4 + head) * angles + i].source);
    return found;
  };
  const auto first = at({intervention(Quantity::rotation, Operation::shuffle, 7)});
  std::vector<int> sorted = sources(first, 0, 0);
  CHECK_FALSE(std::is_sorted(sorted.begin(), sorted.end()));
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < angles; ++i) CHECK(sorted[i] == static_cast<int>(i));
  CHECK(sources(first, 0, 0) == sources(first, 0, 3));
  CHECK(sources(first, 0, 0) != sources(first, 1, 0));
  CHECK(sources(first, 0, 0) == sources(at({intervention(Quantity::rotation, Operation::shuffle, 7)}), 0, 0));
  CHECK(sources(first, 0, 0) != sources(at({intervention(Quantity::rotation, Operation::shuffle, 8)}), 0, 0));

  Intervention some = intervention(Quantity::rotation, Operation::shuffle, 7);
  some.pairs = {4, 12};
  some.heads = only(2);
  const auto part = at({some});
  for (std::size_t i = 0; i < angles; ++i) {
    const int source = sources(part, 0, 2)[i];
    CHECK(sources(part, 0, 1)[i] == static_cast<int>(i));
    if (i < 4 || i >= 12) CHECK(source == static_cast<int>(i));
    if (i >= 4 && i < 12) CHECK((source >= 4 && source < 12));
  }

  // What a pair's advance was before the shuffle moves with it; what comes behind meets the new order.
  Intervention one = intervention(Quantity::rotation, Operation::scale, 5);
  one.pairs = only(3);
  const auto moved = at({one, intervention(Quantity::rotation, Operation::shuffle, 7)});
  const auto kept = at({intervention(Quantity::rotation, Operation::shuffle, 7), one});
  for (std::size_t i = 0; i < angles; ++i) {
    CHECK((moved.pairs[i].advance.scale == 5) == (moved.pairs[i].source == 3));
    CHECK((kept.pairs[i].advance.scale == 5) == (i == 3));
  }
}

TEST_CASE("interventions are told in words") {
  Intervention by = intervention(Quantity::rotation, Operation::scale, 0);
  CHECK(engine::describe(by) == "rotation x 0");
  by.layers = {0, 2};
  by.heads = only(3);
  by.tokens = {20, -1};
  CHECK(engine::describe(by) == "rotation x 0, layers 0-1, head 3, from token 20");
  by = intervention(Quantity::lambda, Operation::set, 0.5);
  by.tokens = only(4);
  by.layers = {2, -1};
  CHECK(engine::describe(by) == "lambda = 0.5, layers from 2, token 4");
  by = intervention(Quantity::rotation, Operation::shuffle, 3);
  by.pairs = {2, 9};
  by.tokens = {1, 9};
  CHECK(engine::describe(by) == "rotation shuffled, seed 3, pairs 2-8, tokens 1-8");
  by = intervention(Quantity::state, Operation::add, -2);
  by.layers = only(1);
  CHECK(engine::describe(by) == "state cell - 2, layer 1, row 0, channel 0");
  by = intervention(Quantity::rank_write, Operation::add, 2);
  by.ranks = only(0);
  by.pairs = only(0);  // means nothing to it
  CHECK(engine::describe(by) == "rank's write + 2, rank 0");
}

TEST_CASE("interventions that cannot be are refused with what is wrong") {
  const engine::ModelConfig config = config_of(4);
  const auto message = [&](const Intervention& by) {
    const auto checked = engine::check(by, config);
    if (checked) return std::string();
    CHECK(checked.error().kind == engine::ErrorKind::input);
    return checked.error().message;
  };
  const auto with = [](Quantity quantity, Operation operation, double value, auto change) {
    Intervention by = intervention(quantity, operation, value);
    change(by);
    return by;
  };
  const auto nothing = [](Intervention&) {};
  CHECK(message(with(Quantity::rotation, Operation::scale, -1, nothing)).empty());
  CHECK(message(with(Quantity::rotation, Operation::shuffle, 12, nothing)).empty());
  CHECK(message(with(Quantity::lambda, Operation::set, 1, nothing)).empty());
  CHECK(message(with(Quantity::dt, Operation::add, -1, nothing)).empty());
  CHECK(message(with(Quantity::rotation, Operation::scale, -1, nothing)).empty());
  for (const Quantity limited : {Quantity::dt, Quantity::lambda, Quantity::a})
    CHECK(message(with(limited, Operation::scale, -1, nothing)).find("cannot be scaled by -1") != std::string::npos);

  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {nan, double{INFINITY}, 2e6}) {
    CHECK(message(with(Quantity::d, Operation::scale, value, nothing)).find("D cannot be changed by") == 0);
  }
  CHECK(message(with(Quantity::lambda, Operation::set, 1.5, nothing)) == "lambda cannot be set to 1.5; give 0 to 1.");
  CHECK(message(with(Quantity::dt, Operation::set, -1, nothing)) == "dt cannot be set to -1; give 0 or more.");
  CHECK(message(with(Quantity::a, Operation::set, 1, nothing)) == "A cannot be set to 1; give 0 or less.");
  CHECK(message(with(Quantity::d, Operation::shuffle, 1, nothing)) == "Only the rotation can be shuffled, not D.");
  CHECK_FALSE(message(with(Quantity::rotation, Operation::shuffle, 0.5, nothing)).empty());
  CHECK_FALSE(message(with(Quantity::rotation, Operation::shuffle, -1, nothing)).empty());
  const auto ranged = [&](auto change) { return message(with(Quantity::rank_read, Operation::scale, 2, change)); };
  CHECK(ranged([](auto& by) { by.layers = only(3); }) == "There is no layer 3: the model's are 0 to 2.");
  CHECK(ranged([](auto& by) { by.heads = {4, -1}; }) == "There are no heads from 4 on: the model's are 0 to 3.");
  CHECK(ranged([](auto& by) { by.ranks = {0, 5}; }) == "There are no ranks 0 to 4: the model's are 0 to 3.");
  CHECK_FALSE(ranged([](auto& by) { by.layers = {-1, 2}; }).empty());
  CHECK_FALSE(ranged([](auto& by) { by.layers = {1, 1}; }).empty());
  CHECK_FALSE(ranged([](auto& by) { by.layers = {0, -2}; }).empty());
  CHECK_FALSE(ranged([](auto& by) { by.tokens = {3, 3}; }).empty());
  CHECK_FALSE(ranged([](auto& by) { by.tokens = {-2, 3}; }).empty());
  CHECK(ranged([](auto& by) { by.pairs = only(100); }).empty());  // means nothing to it
  CHECK_FALSE(message(with(Quantity::rotation, Operation::scale, 2, [](auto& by) { by.pairs = only(16); })).empty());
  CHECK_FALSE(message(with(Quantity::state, Operation::set, 2, [](auto& by) { by.row = 32; })).empty());
  CHECK_FALSE(message(with(Quantity::state, Operation::set, 2, [](auto& by) { by.channel = -1; })).empty());
}

TEST_CASE("what changes nothing says why") {
  engine::ModelConfig config;
  config.d_state = 64;
  engine::Intervention zero;
  zero.value = 0;
  CHECK(engine::why_no_effect(zero, config, 4).empty());
  zero.tokens = {4, 9};
  CHECK(engine::why_no_effect(zero, config, 4) == "its tokens begin at 4, and there are 4");
  CHECK(engine::why_no_effect(zero, config, 5).empty());
  engine::Intervention same;
  CHECK(engine::why_no_effect(same, config, 4) == "it scales by 1");
  const std::vector<engine::Intervention> both = {same, zero};
  CHECK(engine::without_effect(both, config, 5, false).size() == 1);
  const auto all = engine::without_effect(both, config, 5, true);
  REQUIRE(all.size() == 2);
  CHECK(all[1] == "rotation x 0, tokens 4-8 had no effect on these tokens: no pair turns there.");
}
