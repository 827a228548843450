// Errors carried over tokens and the cost of lambda, against an adaptive integrator and against every entry of the
// P x N / 2 complex states, which the code under test never forms.
#include "engine/analysis/accumulated_error.h"

#include "engine/analysis/discretisation.h"
#include "tests/engine/analysis/adaptive_integrator.h"
#include "tests/engine/analysis/quadrature.h"
#include "tests/engine/analysis/synthetic.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace engine;

namespace {

struct Token {
  StepCoefficients step;
  LayerState layer;
};

// Random tokens as a backend would report them: fp32, keys stored rotated.
struct Story {
  ModelConfig config;
  Weights weights;
  std::vector<Token> tokens;

  Story(bool is_mimo, unsigned seed, int count, double dt_scale) : config(synthetic_config(is_mimo)) {
    config.headdim = 4;
    config.d_state = 8;
    std::mt19937 random(seed);
    const auto fill = [&](std::vector<float>& values, int size, double low, double high) {
      std::uniform_real_distribution<double> draw(low, high);
      values.resize(static_cast<std::size_t>(size));
      for (float& value : values) value = static_cast<float>(draw(random));
    };
    weights.config = config;
    weights.layers.resize(1);
    const int heads = config.heads();
    if (is_mimo) fill(weights.layers[0].mimo_x, heads * config.rank() * config.headdim, -1, 1);
    for (int t = 0; t < count; ++t) {
      Token& token = tokens.emplace_back();
      fill(token.step.dt, heads, 0.01 * dt_scale, dt_scale);
      fill(token.step.a, heads, -1.5, -0.01);
      fill(token.step.lambda, heads, 0.05, 0.95);
      fill(token.step.turn, config.angles(), -3, 3);
      fill(token.layer.k, config.rank() * heads * config.d_state, -2, 2);
      fill(token.layer.v, heads * config.headdim, -2, 2);
    }
  }

  const LayerState* before(std::size_t t) const { return t == 0 ? nullptr : &tokens[t - 1].layer; }
  double turn(std::size_t t, int head, int pair, StateFrame frame) const {
    if (frame == StateFrame::stored || pair >= config.angles()) return 0;
    return static_cast<double>(tokens[t].step.turn[static_cast<std::size_t>(pair)]) *
           tokens[t].step.dt[static_cast<std::size_t>(head)];
  }
  // One entry of u_t with the stored key, turned back by `phase`.
  Complex input(std::size_t t, int head, int p, int pair, double phase) const {
    Complex u = 0;
    for (int r = 0; r < config.rank(); ++r) {
      const std::size_t key = (static_cast<std::size_t>(r) * config.heads() + head) * config.d_state;
      double x = tokens[t].layer.v[static_cast<std::size_t>(head) * config.headdim + p];
      if (config.is_mimo)
        x *= weights.layers[0].mimo_x[(static_cast<std::size_t>(head) * config.rank() + r) * config.headdim + p];
      u += x *
           Complex(tokens[t].layer.k[key + config.pair_first(pair)], tokens[t].layer.k[key + config.pair_second(pair)]);
    }
    return turned_back(u, phase);
  }
};

struct Relative {
  double euler = 0, trapezoid = 0, fixed = 0, model = 0;
};
constexpr double some_lambda = 0.8;

// Everything by force: each entry's truth by the integrator, each rule's state by its own recurrence.
Relative by_force(const Story& story, int head, StateFrame frame) {
  double exact = 0, off[4] = {0, 0, 0, 0};
  const auto h = static_cast<std::size_t>(head);
  for (int pair = 0; pair < story.config.d_state / 2; ++pair) {
    for (int p = 0; p < story.config.headdim; ++p) {
      std::complex<long double> truth = 0;
      Complex rule[4] = {0, 0, 0, 0};
      double phase = 0;
      for (std::size_t t = 0; t < story.tokens.size(); ++t) {
        const StepCoefficients& step = story.tokens[t].step;
        const double dt = step.dt[h], angle = story.turn(t, head, pair, frame);
        const Complex mu(step.a[h], -angle / dt);
        const Complex last = t == 0 ? 0 : story.input(t - 1, head, p, pair, phase);
        phase += angle;
        const Complex now = story.input(t, head, p, pair, phase);
        truth = integrate_adaptively(
            [&](long double s, std::complex<long double> y) {
              const std::complex<long double> u =
                  std::complex<long double>(last) +
                  std::complex<long double>(now - last) * (s / static_cast<long double>(dt));
              return std::complex<long double>(mu) * y + u;
            },
            truth, 0, dt, 1e-15L, 0.1L);
        const double lambdas[4] = {1, 0.5, some_lambda, step.lambda[h]};
        for (int k = 0; k < 4; ++k)
          rule[k] = std::exp(mu * dt) * rule[k] + dt * ((1 - lambdas[k]) * std::exp(mu * dt) * last + lambdas[k] * now);
      }
      const Complex end(static_cast<double>(truth.real()), static_cast<double>(truth.imag()));
      exact += std::norm(end);
      for (int k = 0; k < 4; ++k) off[k] += std::norm(rule[k] - end);
    }
  }
  const auto ratio = [&](int k) { return std::sqrt(off[k] / exact); };
  return {ratio(0), ratio(1), ratio(2), ratio(3)};
}

}  // namespace

TEST_CASE("errors carried over tokens are those of an adaptive integrator, in both frames") {
  for (const bool is_mimo : {false, true}) {
    for (const double dt_scale : {1.0, 0.05}) {
      const Story story(is_mimo, is_mimo ? 5 : 4, 7, dt_scale);
      for (const StateFrame frame : {StateFrame::stored, StateFrame::unrotated}) {
        for (const int head : {0, story.config.heads() - 1}) {
          CAPTURE(is_mimo);
          CAPTURE(dt_scale);
          CAPTURE(static_cast<int>(frame));
          ErrorAccumulator errors(story.config, head, frame);
          for (std::size_t t = 0; t < story.tokens.size(); ++t)
            errors.step(story.weights.layers[0], story.tokens[t].step, 0, story.before(t), story.tokens[t].layer);
          const Relative truth = by_force(story, head, frame);
          CHECK(errors.errors().fixed.at(1) == doctest::Approx(truth.euler).epsilon(1e-8));
          CHECK(errors.errors().fixed.at(0.5) == doctest::Approx(truth.trapezoid).epsilon(1e-8));
          CHECK(errors.errors().fixed.at(some_lambda) == doctest::Approx(truth.fixed).epsilon(1e-8));
          CHECK(errors.errors().model == doctest::Approx(truth.model).epsilon(1e-8));
        }
      }
    }
  }
}

TEST_CASE("exact state and the model's error add up to the state that the model has, in either frame") {
  for (const bool is_mimo : {false, true}) {
    SyntheticHead head(synthetic_config(is_mimo), 9);
    Weights weights;
    weights.config = head.config;
    weights.layers.resize(1);
    const auto single = [](const std::vector<double>& from) { return std::vector<float>(from.begin(), from.end()); };
    if (is_mimo) weights.layers[0].mimo_x = single(head.mimo_x);
    ErrorAccumulator stored(head.config, 1, StateFrame::stored), unrotated(head.config, 1, StateFrame::unrotated);
    LayerState last;
    for (int t = 0; t < 30; ++t) {
      head.step();
      StepCoefficients step;
      step.dt = single(head.now.dt), step.a = single(head.now.a), step.lambda = single(head.now.lambda);
      step.turn = single(head.now.turn);
      LayerState now;
      now.k = single(head.rotated), now.v = single(head.now.x);
      for (ErrorAccumulator* errors : {&stored, &unrotated})
        errors->step(weights.layers[0], step, 0, t == 0 ? nullptr : &last, now);
      last = now;
    }
    const int pairs = head.config.d_state / 2;
    double worst = 0, largest = 0;
    for (const ErrorAccumulator* errors : {&stored, &unrotated}) {
      for (int p = 0; p < head.config.headdim; ++p) {
        for (int i = 0; i < pairs; ++i) {
          const auto row = static_cast<std::size_t>(p) * head.config.d_state;
          const std::size_t channels = (static_cast<std::size_t>(head.config.headdim) + p) * head.config.d_state;
          const std::size_t re = row + i, im = row + pairs + i;
          const double a = head.state[channels + head.config.pair_first(i)];
          const double b = head.state[channels + head.config.pair_second(i)];
          worst = std::max({worst, std::abs(errors->exact()[re] + errors->model_error()[re] - a),
                            std::abs(errors->exact()[im] + errors->model_error()[im] - b)});
          largest = std::max({largest, std::abs(a), std::abs(b)});
        }
      }
    }
    CHECK(worst < 1e-6 * largest);  // the inputs were rounded to fp32
    CHECK(largest > 1);
  }
}

TEST_CASE("the first token's accumulated error is its local one; starting at a kept state forgets the past") {
  const Story story(true, 11, 3, 0.5);
  for (const StateFrame frame : {StateFrame::stored, StateFrame::unrotated}) {
    ErrorAccumulator errors(story.config, 1, frame);
    CHECK(std::isnan(errors.errors().model));
    errors.step(story.weights.layers[0], story.tokens[0].step, 0, nullptr, story.tokens[0].layer);
    const HeadErrors local =
        head_errors(story.config, story.weights.layers[0], story.tokens[0].step, 0, 1, nullptr, story.tokens[0].layer);
    const RuleErrors& expected = frame == StateFrame::stored ? local.stored : local.unrotated;
    CHECK(errors.errors().model == doctest::Approx(expected.model).epsilon(1e-6));
    CHECK(errors.errors().fixed.at(1) == doctest::Approx(expected.euler).epsilon(1e-6));

    LayerState kept = story.tokens[0].layer;
    kept.ssm.assign(static_cast<std::size_t>(story.config.heads()) * story.config.headdim * story.config.d_state, 2.0F);
    errors.start_at(kept);
    CHECK(errors.errors().model == 0);
    CHECK(errors.exact()[0] == 2);
    errors.clear();
    CHECK(std::isnan(errors.errors().model));
  }
}

TEST_CASE("the cost of lambda is the error at each lambda, smallest at its best") {
  for (const bool is_mimo : {false, true}) {
    for (unsigned seed = 1; seed < 5; ++seed) {
      Story story(is_mimo, seed, 2, 0.4);
      for (const StateFrame frame : {StateFrame::stored, StateFrame::unrotated}) {
        const LambdaCost cost = lambda_cost(story.config, story.weights.layers[0], story.tokens[1].step, 0, 1, frame,
                                            story.before(1), story.tokens[1].layer);
        for (const float lambda : {0.0F, 0.3F, 0.5F, 0.9F, 1.0F}) {
          story.tokens[1].step.lambda[1] = lambda;
          const HeadErrors errors = head_errors(story.config, story.weights.layers[0], story.tokens[1].step, 0, 1,
                                                story.before(1), story.tokens[1].layer);
          const float there = frame == StateFrame::stored ? errors.stored.model : errors.unrotated.model;
          CHECK(cost.at(lambda) == doctest::Approx(there).epsilon(1e-6));
        }
        CHECK(cost.at(cost.best()) < cost.at(cost.best() + 0.01));
        CHECK(cost.at(cost.best()) < cost.at(cost.best() - 0.01));
      }
    }
  }
  CHECK(std::isnan(LambdaCost{}.at(0.5)));
  CHECK(std::isnan(LambdaCost{}.best()));
}
