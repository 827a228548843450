#include "engine/analysis/pair_search.h"

#include "tests/engine/analysis/synthetic.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

using namespace engine;

namespace {

constexpr double pi = std::numbers::pi;

// Two layers of the synthetic shape, 2 heads, 4 turning pairs of 8.
struct Made {
  ModelConfig config = synthetic_config(false);
  StepCoefficients step;
  SequenceState now, before;

  Made() {
    config.n_layer = 2;
    step.dt = {1, 1, 1, 0.5F};
    step.alpha = {0.9F, 0.99F, 1.0F, 0.5F};
    step.turn = {0.1F, -3.1F, 2.2F, 0.0F, 1.256F, 6.28F, -0.5F, 3.0F};
    const auto heads = static_cast<std::size_t>(config.heads());
    const auto angles = static_cast<std::size_t>(config.angles());
    for (SequenceState* state : {&before, &now}) {
      for (int l = 0; l < 2; ++l) {
        LayerState& layer = state->layers.emplace_back();
        layer.angle.assign(heads * angles, 0.25F);
        layer.turns.assign(heads * angles, 0);
        layer.k.assign(heads * static_cast<std::size_t>(config.d_state), 0);
        layer.v.assign(heads * static_cast<std::size_t>(config.headdim), 0);
        layer.ssm.assign(heads * static_cast<std::size_t>(config.headdim * config.d_state), 1);
      }
    }
  }
  PairEvidence evidence() const { return {&step, &now, &before}; }
  std::vector<PairHit> find(PairMeasure measure, double turns = 0.5, StateFrame frame = StateFrame::unrotated) const {
    return search_pairs(config, evidence(), {measure, turns, frame}, 100);
  }
};

bool at(const PairHit& hit, int layer, int head, int pair) {
  return hit.layer == layer && hit.head == head && hit.pair == pair;
}

}  // namespace

TEST_CASE("pairs are found by the part of a turn they make, whichever way and however many whole turns") {
  Made made;
  auto hits = made.find(PairMeasure::turn_near, 0.5);
  REQUIRE(hits.size() == 2 * 2 * 4);
  CHECK(at(hits[0], 1, 1, 1));  // 6.28 rad at dt 1/2
  CHECK(at(hits[1], 0, 0, 1));  // -3.1 rad; heads 0 and 1 have the same dt
  CHECK(at(hits[2], 0, 1, 1));
  CHECK(hits[1].value == doctest::Approx(-3.1 / (2 * pi)).epsilon(1e-6));
  hits = made.find(PairMeasure::turn_near, 0.2);
  CHECK(at(hits[0], 1, 0, 0));
  CHECK(hits[0].value == doctest::Approx(0.2).epsilon(1e-3));
  hits = made.find(PairMeasure::turn_near, 0);
  CHECK(at(hits[0], 0, 0, 3));
  CHECK(at(hits[2], 1, 0, 1));  // a whole turn stands as it stood
  hits = made.find(PairMeasure::largest_turn);
  CHECK(at(hits[0], 1, 0, 1));
  for (std::size_t i = 1; i < hits.size(); ++i) CHECK(hits[i - 1].rank <= hits[i].rank);
}

TEST_CASE("heads are found by how long they remember") {
  const Made made;
  const auto slow = made.find(PairMeasure::slowest_decay);
  REQUIRE(slow.size() == 4);
  CHECK(at(slow[0], 1, 0, -1));
  CHECK(std::isinf(slow[0].value));
  CHECK(at(slow[1], 0, 1, -1));
  const auto fast = made.find(PairMeasure::fastest_decay);
  CHECK(at(fast[0], 1, 1, -1));
  CHECK(fast[0].value == doctest::Approx(1));
}

TEST_CASE("pairs are found by their state, its change in either frame, and the phase that they gathered") {
  Made made;
  const auto row = [&](int head, int p) {
    return static_cast<std::size_t>((head * made.config.headdim + p) * made.config.d_state);
  };
  made.now.layers[1].ssm[row(1, 2) + static_cast<std::size_t>(made.config.pair_first(6))] =
      5;  // a pair that never turns
  auto hits = made.find(PairMeasure::largest_change);
  CHECK(at(hits[0], 1, 1, 6));
  CHECK(hits[0].value == doctest::Approx(4));
  CHECK(hits[1].value == 0);
  CHECK(at(made.find(PairMeasure::largest_state)[0], 1, 1, 6));
  // The stored values stand still while the pair turns by half: un-rotated it changes by twice its size.
  made.now.layers[0].angle[2] += static_cast<float>(pi);
  made.now.layers[0].turns[2] = 3;
  hits = made.find(PairMeasure::largest_change);
  CHECK(at(hits[0], 0, 0, 2));
  CHECK(hits[0].value == doctest::Approx(2 * std::sqrt(2.0 * made.config.headdim)).epsilon(1e-6));
  CHECK(at(made.find(PairMeasure::largest_change, 0.5, StateFrame::stored)[0], 1, 1, 6));
  hits = made.find(PairMeasure::largest_winding);
  CHECK(at(hits[0], 0, 0, 2));
  CHECK(hits[0].value == doctest::Approx(3.5 + 0.25 / (2 * pi)).epsilon(1e-6));
}

TEST_CASE("what is not held is not searched, what is not a number is no hit, and there are no more than asked for") {
  Made made;
  CHECK(search_pairs(made.config, made.evidence(), {}, 3).size() == 3);
  made.before.layers[0].ssm.clear();
  PairQuery change{PairMeasure::largest_change};
  CHECK(searched_layers(made.config, made.evidence(), change) == 1);
  for (const PairHit& hit : made.find(PairMeasure::largest_change)) CHECK(hit.layer == 1);
  CHECK(search_pairs(made.config, {}, change, 5).empty());
  CHECK(search_pairs(made.config, {}, {}, 5).empty());
  CHECK(searched_layers(made.config, {}, {}) == 0);
  made.step.dt[0] = std::numeric_limits<float>::quiet_NaN();
  for (const PairHit& hit : made.find(PairMeasure::turn_near)) CHECK_FALSE((hit.layer == 0 && hit.head == 0));
  made.step.alpha[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(made.find(PairMeasure::slowest_decay).size() == 3);
}
