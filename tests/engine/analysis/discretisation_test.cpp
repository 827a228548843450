#include "engine/analysis/discretisation.h"

#include "tests/engine/analysis/quadrature.h"
#include "tests/engine/analysis/synthetic.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace engine;

namespace {

// One step of a synthetic head as a backend would report it, every number of the test rounded to fp32 first, so that
// both sides of a comparison see the same numbers. Keys are stored without rotation: the angles say 0, then d theta.
struct Case {
  ModelConfig config;
  Weights weights;
  StepCoefficients coefficients;
  LayerState previous, now;
  SyntheticToken previous_inputs, now_inputs;
};

float rounded(double& value) {
  const auto single = static_cast<float>(value);
  value = single;
  return single;
}

Case make_case(bool is_mimo, unsigned seed, double dt_scale) {
  SyntheticHead head(synthetic_config(is_mimo), seed);
  head.step();
  head.step();
  Case c;
  c.config = head.config;
  c.weights.config = head.config;
  c.weights.layers.resize(1);
  if (is_mimo) {
    for (double& mix : head.mimo_x) c.weights.layers[0].mimo_x.push_back(rounded(mix));
  }
  for (double& dt : head.now.dt) {
    dt *= dt_scale;
    c.coefficients.dt.push_back(rounded(dt));
  }
  for (double& a : head.now.a) c.coefficients.a.push_back(rounded(a));
  for (double& lambda : head.now.lambda) c.coefficients.lambda.push_back(rounded(lambda));
  for (double& turn : head.now.turn) c.coefficients.turn.push_back(rounded(turn));
  for (double& x : head.previous.x) c.previous.v.push_back(rounded(x));
  for (double& x : head.now.x) c.now.v.push_back(rounded(x));
  // Stored keys in fp32 are the given numbers; the biased ones follow by turning back: by 0 before, by d theta now.
  for (double& k : head.previous.key) c.previous.k.push_back(rounded(k));
  for (double& k : head.now.key) c.now.k.push_back(rounded(k));
  c.previous_inputs = head.previous;
  c.now_inputs = head.now;
  return c;
}

double value(const Case& c, const SyntheticToken& token, int h, int r, int p) {
  const double x = token.x[static_cast<std::size_t>(h) * c.config.headdim + p];
  if (!c.config.is_mimo) return x;
  return x * c.weights.layers[0].mimo_x[(static_cast<std::size_t>(h) * c.config.rank() + r) * c.config.headdim + p];
}

Complex input(const Case& c, const SyntheticToken& token, int h, int p, int pair, double turned) {
  Complex u = 0;
  for (int r = 0; r < c.config.rank(); ++r) {
    const std::size_t at = (static_cast<std::size_t>(r) * c.config.heads() + h) * c.config.d_state;
    const Complex key(token.key[at + c.config.pair_first(pair)], token.key[at + c.config.pair_second(pair)]);
    u += value(c, token, h, r, p) * turned_back(key, turned);
  }
  return u;
}

// Relative error of a rule by forming every entry of the P x N / 2 complex matrices, the exact term by quadrature.
double direct(const Case& c, int h, double lambda, StateFrame frame, bool first_token) {
  const double dt = c.coefficients.dt[static_cast<std::size_t>(h)], a = c.coefficients.a[static_cast<std::size_t>(h)];
  double error = 0, exact = 0;
  for (int pair = 0; pair < c.config.d_state / 2; ++pair) {
    const bool turns = frame == StateFrame::unrotated && pair < c.config.angles();
    const double omega = turns ? c.coefficients.turn[static_cast<std::size_t>(pair)] : 0.0;
    const Complex mu(a, -omega);
    for (int p = 0; p < c.config.headdim; ++p) {
      const Complex before = first_token ? 0 : input(c, c.previous_inputs, h, p, pair, 0);
      const Complex after = input(c, c.now_inputs, h, p, pair, turns ? omega * dt : 0);
      const Complex truth = integral(
          [&](double s) { return std::exp(mu * (dt - s)) * (before + (after - before) * (s / dt)); }, 0, dt, 8);
      const Complex rule = dt * ((1 - lambda) * std::exp(mu * dt) * before + lambda * after);
      error += std::norm(rule - truth);
      exact += std::norm(truth);
    }
  }
  return std::sqrt(error / exact);
}

}  // namespace

TEST_CASE("coefficients of a rule") {
  const RuleCoefficients c = rule_coefficients(-2, 0.25, 0.75);
  CHECK(c.alpha == doctest::Approx(std::exp(-0.5)));
  CHECK(c.beta == doctest::Approx(0.0625 * std::exp(-0.5)));
  CHECK(c.gamma == doctest::Approx(0.1875));
}

TEST_CASE("errors through Gram matrices are those of the full matrices") {
  for (const bool is_mimo : {false, true}) {
    for (const double dt_scale : {4.0, 1.0, 1e-2, 1e-4}) {
      for (unsigned seed = 1; seed < 6; ++seed) {
        const Case c = make_case(is_mimo, seed, dt_scale);
        for (const bool first_token : {false, true}) {
          for (int h = 0; h < c.config.heads(); ++h) {
            CAPTURE(is_mimo);
            CAPTURE(dt_scale);
            CAPTURE(first_token);
            const HeadErrors got = head_errors(c.config, c.weights.layers[0], c.coefficients, 0, h,
                                               first_token ? nullptr : &c.previous, c.now);
            const double lambda = c.coefficients.lambda[static_cast<std::size_t>(h)];
            for (const StateFrame frame : {StateFrame::stored, StateFrame::unrotated}) {
              CAPTURE(static_cast<int>(frame));
              const RuleErrors& errors = frame == StateFrame::stored ? got.stored : got.unrotated;
              CHECK(errors.euler == doctest::Approx(direct(c, h, 1.0, frame, first_token)).epsilon(1e-6));
              CHECK(errors.trapezoid == doctest::Approx(direct(c, h, 0.5, frame, first_token)).epsilon(1e-6));
              CHECK(errors.model == doctest::Approx(direct(c, h, lambda, frame, first_token)).epsilon(1e-6));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("all layers and heads in one call; an empty state before counts as none") {
  const Case c = make_case(true, 3, 1);
  SequenceState now, before, empty;
  now.layers = {c.now};
  before.layers = {c.previous};
  empty.layers.resize(1);
  const StepErrors errors = step_errors(c.weights, c.coefficients, &before, now);
  REQUIRE(errors.stored.size() == static_cast<std::size_t>(c.config.heads()));
  REQUIRE(errors.unrotated.size() == static_cast<std::size_t>(c.config.heads()));
  const HeadErrors one = head_errors(c.config, c.weights.layers[0], c.coefficients, 0, 1, &c.previous, c.now);
  CHECK(errors.stored[1].model == one.stored.model);
  CHECK(errors.unrotated[1].model == one.unrotated.model);
  const StepErrors first = step_errors(c.weights, c.coefficients, nullptr, now);
  CHECK(step_errors(c.weights, c.coefficients, &empty, now).stored[0].model == first.stored[0].model);
}

TEST_CASE("without input there is no relative error") {
  Case c = make_case(false, 4, 1);
  std::fill(c.now.v.begin(), c.now.v.end(), 0.0F);
  const RuleErrors none = head_errors(c.config, c.weights.layers[0], c.coefficients, 0, 0, nullptr, c.now).stored;
  CHECK(std::isnan(none.euler));
  CHECK(std::isnan(none.model));
}

TEST_CASE("a half turn in one step lies outside the regime of orders: small in one frame, large in the other") {
  // One channel pair's worth: constant key and x, dt = 1, omega = pi: the un-rotated truth nearly cancels.
  Case c = make_case(false, 2, 1);
  std::fill(c.coefficients.dt.begin(), c.coefficients.dt.end(), 1.0F);
  std::fill(c.coefficients.a.begin(), c.coefficients.a.end(), -1e-4F);
  std::fill(c.coefficients.turn.begin(), c.coefficients.turn.end(), 3.1415927F);
  c.previous = c.now;
  const HeadErrors errors = head_errors(c.config, c.weights.layers[0], c.coefficients, 0, 0, &c.previous, c.now);
  CHECK(errors.stored.euler < 1e-4);
  CHECK(errors.unrotated.euler > 0.3);
}
