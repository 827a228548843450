#include "engine/analysis/rotation.h"

#include "engine/intervention/changes.h"
#include "tests/engine/analysis/synthetic.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

using namespace engine;

namespace {

constexpr double pi = std::numbers::pi;

// The synthetic head's caches as a backend would hand them over: fp32, angles wrapped, turns counted.
LayerState layer_of(const SyntheticHead& head) {
  LayerState layer;
  for (const double theta : head.theta) {
    const double turns = std::floor(theta / (2 * pi));
    layer.turns.push_back(static_cast<std::int32_t>(turns));
    layer.angle.push_back(static_cast<float>(theta - 2 * pi * turns));
  }
  layer.ssm.assign(head.state.begin(), head.state.end());
  layer.k.assign(head.rotated.begin(), head.rotated.end());
  layer.v.assign(head.now.x.begin(), head.now.x.end());
  return layer;
}

}  // namespace

TEST_CASE("the un-rotated state obeys the paper's complex recurrence, SISO and MIMO") {
  for (const bool is_mimo : {false, true}) {
    for (const double rope : {0.5, 1.0}) {
      SyntheticHead head(synthetic_config(is_mimo, rope), 17);
      const ModelConfig& config = head.config;
      double worst = 0, largest = 0;
      for (int t = 0; t < 500; ++t) {
        head.step();
        for (int h = 0; h < config.heads(); ++h) {
          for (int p = 0; p < config.headdim; ++p) {
            const std::size_t row = static_cast<std::size_t>(h) * config.headdim + p;
            for (int i = 0; i < config.d_state / 2; ++i) {
              const double theta =
                  i < config.angles() ? head.theta[static_cast<std::size_t>(h) * config.angles() + i] : 0;
              const Complex stored(head.state[row * config.d_state + config.pair_first(i)],
                                   head.state[row * config.d_state + config.pair_second(i)]);
              const Complex& truth = head.z[row * (config.d_state / 2) + i];
              worst = std::max(worst, std::abs(turned_back(stored, theta) - truth));
              largest = std::max(largest, std::abs(truth));
            }
          }
        }
      }
      CAPTURE(is_mimo);
      CAPTURE(rope);
      CHECK(largest > 0.1);
      CHECK(worst < 1e-9);
    }
  }
}

TEST_CASE("stored caches in fp32 give that state, row by row and as a whole, and the keys") {
  for (const bool is_mimo : {false, true}) {
    SyntheticHead head(synthetic_config(is_mimo), 5);
    const ModelConfig& config = head.config;
    for (int t = 0; t < 200; ++t) head.step();
    const LayerState layer = layer_of(head);
    const auto pairs = static_cast<std::size_t>(config.d_state / 2);
    for (int h = 0; h < config.heads(); ++h) {
      const auto whole = complex_state(config, layer, h, StateFrame::unrotated);
      REQUIRE(whole.size() == config.headdim * pairs);
      double worst = 0;
      for (std::size_t i = 0; i < whole.size(); ++i) {
        worst = std::max(worst, std::abs(whole[i] - head.z[static_cast<std::size_t>(h) * whole.size() + i]));
      }
      CHECK(worst < 1e-5);
      const auto row = complex_row(config, layer, h, 3, StateFrame::unrotated);
      REQUIRE(row.size() == pairs);
      for (std::size_t i = 0; i < pairs; ++i) CHECK(row[i] == whole[3 * pairs + i]);
      const auto stored = complex_row(config, layer, h, 3, StateFrame::stored);
      const std::size_t at = (static_cast<std::size_t>(h) * config.headdim + 3) * config.d_state;
      for (int i = 0; i < config.d_state / 2; ++i) {
        const Complex expected(layer.ssm[at + config.pair_first(i)], layer.ssm[at + config.pair_second(i)]);
        CHECK(stored[static_cast<std::size_t>(i)] == expected);
        // Frames differ by a turn only, and not at all beyond the rotary pairs.
        CHECK(std::abs(stored[static_cast<std::size_t>(i)]) ==
              doctest::Approx(std::abs(row[static_cast<std::size_t>(i)])).epsilon(1e-12));
        if (i >= config.angles()) CHECK(stored[static_cast<std::size_t>(i)] == row[static_cast<std::size_t>(i)]);
      }
      for (int r = 0; r < config.rank(); ++r) {
        const auto key = complex_key(config, layer, h, r, StateFrame::unrotated);
        REQUIRE(key.size() == pairs);
        for (int i = 0; i < config.d_state / 2; ++i) {
          CHECK(std::abs(key[static_cast<std::size_t>(i)] - head.key_pair(head.now.key, h, r, i)) < 1e-5);
        }
      }
      for (int i = 0; i < config.d_state / 2; ++i) {
        const double theta = i < config.angles() ? head.theta[static_cast<std::size_t>(h) * config.angles() + i] : 0;
        CHECK(std::abs(accumulated_phase(config, layer, h, i) - theta) < 1e-5);
        CHECK(std::abs(winding(config, layer, h, i) - theta / (2 * pi)) < 1e-5);
      }
    }
  }
}

TEST_CASE("what is not held is empty or not a number") {
  const ModelConfig config = synthetic_config(false);
  const LayerState none;
  CHECK_FALSE(holds_state(none));
  CHECK_FALSE(holds_caches(none));
  CHECK(complex_row(config, none, 0, 0, StateFrame::unrotated).empty());
  CHECK(complex_state(config, none, 0, StateFrame::unrotated).empty());
  CHECK(complex_key(config, none, 0, 0, StateFrame::stored).empty());
  CHECK(std::isnan(accumulated_phase(config, none, 0, 0)));
  CHECK(std::isnan(phase_increment(config, {}, 0, 0, 0)));
}

TEST_CASE("the increment of a pair is its turn times the head's own dt") {
  const ModelConfig config = synthetic_config(false);  // 2 heads, 4 angles
  StepCoefficients c;
  c.dt = {0.5F, 0.25F};
  c.turn = {1, 2, 3, -4};
  CHECK(phase_increment(config, c, 0, 1, 2) == 0.75);
  CHECK(phase_increment(config, c, 0, 0, 3) == -2);
  CHECK(phase_increment(config, c, 0, 0, 4) == 0);

  // Under interventions: head 1's pair 2 takes the turn of pair 3, half of it, and 0.125 more.
  auto pairs = engine::neutral_pairs(config, config.n_layer);
  pairs[static_cast<std::size_t>(config.angles()) + 2] = {{0.5F, 0.125F}, 3};
  c.pairs = std::make_shared<const std::vector<kernels::PairChange>>(pairs);
  const double dt = static_cast<double>(c.dt[1]), turn = static_cast<double>(c.turn[3]);
  CHECK(phase_increment(config, c, 0, 1, 2) == 0.5 * turn * dt + 0.125);
  CHECK(phase_increment(config, c, 0, 0, 3) == -2);
  CHECK(phase_increment(config, c, 0, 0, 4) == 0);
}

TEST_CASE("turns are named by the simplest fraction near them") {
  const auto name = [](double turns) { return name_of(classify_turn(2 * pi * turns)); };
  CHECK(name(0) == "still");
  CHECK(name(0.004) == "still");
  CHECK(name(0.5) == "half turn");
  CHECK(name(-0.503) == "-half turn");
  CHECK(name(0.2) == "1/5 turn");
  CHECK(name(0.4) == "2/5 turn");
  CHECK(name(-2.0 / 3) == "-2/3 turn");
  CHECK(name(1) == "full turn");
  CHECK(name(-3) == "-3 turns");
  CHECK(name(1.5) == "3/2 turn");
  CHECK(name(0.06) == "0.060 turn");
  CHECK(classify_turn(2 * pi * 0.2).residual == doctest::Approx(0).epsilon(1e-12));
  CHECK(classify_turn(2 * pi * 0.205).residual == doctest::Approx(0.005));
  CHECK(classify_turn(0).still());
  CHECK(classify_turn(std::nan("")).denominator == 0);
  CHECK(classify_turn(std::numeric_limits<double>::infinity()).denominator == 0);
}

TEST_CASE("concentration of angles on the circle") {
  CHECK(circular_concentration(std::vector<double>{1, 1 + 2 * pi, 1 - 4 * pi}) == doctest::Approx(1).epsilon(1e-12));
  CHECK(circular_concentration(std::vector<double>{0, pi / 2, pi, 3 * pi / 2}) < 1e-12);
  CHECK(circular_concentration(std::vector<double>{0, pi / 2}) == doctest::Approx(std::sqrt(0.5)));
  CHECK(circular_mean(std::vector<double>{0, pi / 2}) == doctest::Approx(pi / 4));
  CHECK(circular_mean(std::vector<double>{pi - 0.1, -pi + 0.3}) == doctest::Approx(-pi + 0.1));
  CHECK(std::isnan(circular_concentration({})));
}

TEST_CASE("half-life in tokens") {
  CHECK(half_life_tokens(0.5) == doctest::Approx(1));
  CHECK(half_life_tokens(std::pow(0.5, 1.0 / 40)) == doctest::Approx(40));
  CHECK(std::isinf(half_life_tokens(1)));
  CHECK(half_life_tokens(0) == 0);
}
