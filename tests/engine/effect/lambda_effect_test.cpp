// A lambda fixed for one sequence of a batch, and the effect of it: against models whose lambda is fixed in the config.
#include "engine/effect/lambda_effect.h"

#include "engine/analysis/statistics.h"
#include "engine/base/random.h"
#include "engine/intervention/intervention.h"
#include "tests/support/bits.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

using engine::BackendChoice;
using tests::same_bits;

namespace {

struct Seen {
  std::vector<float> logits;
  engine::StepCoefficients coefficients;
  engine::SequenceState state;
};

Seen look(engine::Backend& backend, const engine::ModelConfig& config, int sequence) {
  Seen seen;
  seen.logits.resize(static_cast<std::size_t>(config.padded_vocab()));
  REQUIRE(backend.read_logits(sequence, seen.logits).has_value());
  REQUIRE(backend.read_coefficients(sequence, seen.coefficients).has_value());
  std::vector<int> layers;
  for (int l = 0; l < config.n_layer; ++l) layers.push_back(l);
  REQUIRE(backend.read_state(sequence, layers, true, seen.state).has_value());
  return seen;
}

bool same(const Seen& a, const Seen& b) {
  bool equal = same_bits(a.logits, b.logits) && same_bits(a.coefficients.lambda, b.coefficients.lambda) &&
               same_bits(a.coefficients.beta, b.coefficients.beta);
  for (std::size_t l = 0; l < a.state.layers.size(); ++l)
    equal = equal && same_bits(a.state.layers[l].ssm, b.state.layers[l].ssm) &&
            same_bits(a.state.layers[l].k, b.state.layers[l].k);
  return equal;
}

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, BackendChoice choice, int batch) {
  auto backend = engine::make_backend(weights, {choice, batch, 2});
  REQUIRE(backend.has_value());
  return std::move(*backend);
}

void step(engine::Backend& backend, int batch, std::initializer_list<std::int32_t> ids) {
  for (const std::int32_t id : ids) {
    const std::vector<std::int32_t> all(static_cast<std::size_t>(batch), id);
    REQUIRE(backend.step(all, nullptr).has_value());
  }
}

engine::SequenceChanges fixed_lambda(double lambda, const engine::ModelConfig& config) {
  engine::Intervention fixed;
  fixed.quantity = engine::Quantity::lambda;
  fixed.operation = engine::Operation::set;
  fixed.value = lambda;
  return engine::changes_at({&fixed, 1}, config, 0);
}

std::shared_ptr<const engine::Model> model_of(engine::Weights weights) {
  auto model = std::make_shared<engine::Model>();
  model->weights = std::move(weights);
  model->name = "made up";
  return model;
}

}  // namespace

TEST_CASE("a lambda fixed for one sequence has the bits of a model with that lambda; the others keep theirs") {
  for (tests::UnusualModel unusual : tests::unusual_models()) {
    CAPTURE(unusual.name);
    for (const BackendChoice choice : {BackendChoice::cpu, BackendChoice::reference}) {
      unusual.config.lambda_override = -1;
      const engine::Weights own = tests::weights_of(unusual, 3);
      auto batched = open(own, choice, 3), alone = open(own, choice, 1);
      REQUIRE(batched->intervene(1, fixed_lambda(1.0, own.config)).has_value());
      REQUIRE(batched->intervene(2, fixed_lambda(0.5, own.config)).has_value());
      step(*batched, 3, {1, 2, 3, 1});
      step(*alone, 1, {1, 2, 3, 1});
      CHECK(same(look(*batched, own.config, 0), look(*alone, own.config, 0)));
      for (const int sequence : {1, 2}) {
        unusual.config.lambda_override = sequence == 1 ? 1.0 : 0.5;
        const engine::Weights fixed = tests::weights_of(unusual, 3);
        auto other = open(fixed, choice, 1);
        step(*other, 1, {1, 2, 3, 1});
        CHECK(same(look(*batched, own.config, sequence), look(*other, fixed.config, 0)));
      }
      CHECK_FALSE(same(look(*batched, own.config, 0), look(*batched, own.config, 1)));

      // Given back, and through a reset.
      REQUIRE(batched->intervene(1, {}).has_value());
      REQUIRE(batched->reset().has_value());
      step(*batched, 3, {1, 2, 3, 1});
      CHECK(same(look(*batched, own.config, 1), look(*alone, own.config, 0)));
      CHECK_FALSE(same(look(*batched, own.config, 2), look(*alone, own.config, 0)));
    }
  }
}

TEST_CASE("what no lambda can be is refused and changes nothing") {
  const auto model = model_of(tests::weights_of(tests::unusual_models().front(), 3));
  auto backend = open(model->weights, BackendChoice::cpu, 2);
  const std::vector<std::int32_t> ids = {1, 2};
  for (const double lambda : {1.01, -0.5, std::nan(""), -2.0, double{INFINITY}}) {
    const std::vector<double> lambdas = {lambda};
    const auto refused = engine::lambda_effect(*backend, *model, ids, lambdas, 3, {});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == engine::ErrorKind::input);
  }
  step(*backend, 2, {1, 2});
  CHECK(same(look(*backend, model->config(), 0), look(*backend, model->config(), 1)));
}

TEST_CASE("the effect: zero for the model itself, and what two models beside each other show for a lambda") {
  tests::UnusualModel unusual = tests::unusual_models().front();
  unusual.config.lambda_override = -1;
  const auto model = model_of(tests::weights_of(unusual, 3));
  unusual.config.lambda_override = 1;
  const auto euler = model_of(tests::weights_of(unusual, 3));
  const engine::ModelConfig& config = model->config();
  const std::vector<std::int32_t> ids = {1, 2, 3, 1, 0, 2};
  auto backend = open(model->weights, BackendChoice::cpu, 3);
  const double lambdas[] = {1, 0.5};
  int calls = 0;
  const auto tokens = engine::lambda_effect(*backend, *model, ids, lambdas, 3, [&](double done) {
    ++calls;
    CHECK(done == doctest::Approx(calls / 6.0));
    return true;
  });
  REQUIRE(tokens.has_value());
  REQUIRE(tokens->size() == ids.size());
  auto first = open(model->weights, BackendChoice::cpu, 1), second = open(euler->weights, BackendChoice::cpu, 1);
  for (std::size_t t = 0; t < ids.size(); ++t) {
    step(*first, 1, {ids[t]});
    step(*second, 1, {ids[t]});
    const Seen a = look(*first, config, 0), b = look(*second, config, 0);
    const auto vocabulary = static_cast<std::size_t>(config.vocab_size);
    const auto p = engine::softmax(std::span(a.logits).first(vocabulary));
    const auto q = engine::softmax(std::span(b.logits).first(vocabulary));
    const engine::EffectToken& token = (*tokens)[t];
    REQUIRE(token.sequences.size() == 3);
    CHECK(token.sequences[0].kl_bits == 0);
    CHECK(token.sequences[1].kl_bits == doctest::Approx(engine::kl_bits(p, q)));
    CHECK(token.sequences[1].entropy_bits == doctest::Approx(engine::entropy_bits(q)));
    for (std::size_t i = 0; i < token.ids.size(); ++i) {
      CHECK(token.sequences[0].p[i] == p.p[static_cast<std::size_t>(token.ids[i])]);
      CHECK(token.sequences[1].p[i] == q.p[static_cast<std::size_t>(token.ids[i])]);
      if (i > 0) CHECK(token.sequences[0].p[i] <= token.sequences[0].p[i - 1]);
    }
    if (t + 1 < ids.size())
      CHECK(token.sequences[1].next_bits == doctest::Approx(-std::log2(q.p[static_cast<std::size_t>(ids[t + 1])])));
    else
      CHECK(token.sequences[1].next_bits == -1);
    // The first layer reads the same inputs with the same turns, so that its distance is that of the stored states.
    double apart = 0, size = 0;
    for (std::size_t i = 0; i < a.state.layers[0].ssm.size(); ++i) {
      const double x = a.state.layers[0].ssm[i], y = b.state.layers[0].ssm[i];
      apart += (x - y) * (x - y);
      size += x * x;
    }
    CHECK(token.sequences[1].distance[0] == doctest::Approx(std::sqrt(apart / size)).epsilon(1e-9));
    CHECK(token.sequences[0].distance[0] == 0);
    CHECK(token.sequences[1].distance.size() == static_cast<std::size_t>(config.n_layer));
  }
  const engine::EffectSummary own = engine::summarise(*tokens, 0), other = engine::summarise(*tokens, 1);
  CHECK(own.mean_kl_bits == 0);
  CHECK(own.same_prediction == 6);
  CHECK(other.mean_kl_bits > 0);
  CHECK(other.largest_kl_bits >= other.mean_kl_bits);
  CHECK(own.bits_per_token > 0);

  // Afterwards the backend's sequences are the model's again; a run that is ended keeps what it had.
  REQUIRE(backend->reset().has_value());
  step(*backend, 3, {1, 2});
  CHECK(same(look(*backend, config, 0), look(*backend, config, 1)));
  const auto ended = engine::lambda_effect(*backend, *model, ids, lambdas, 3, [](double done) { return done < 0.4; });
  REQUIRE(ended.has_value());
  CHECK(ended->size() == 3);
  CHECK_FALSE(engine::lambda_effect(*first, *model, ids, lambdas, 3, {}).has_value());
  const std::vector<std::int32_t> outside = {1, config.vocab_size};
  CHECK_FALSE(engine::lambda_effect(*backend, *model, outside, lambdas, 3, {}).has_value());
}

TEST_CASE("accuracy with a fixed lambda is that of the model with that lambda") {
  const auto model = engine::load_model("modular", {});
  REQUIRE(model.has_value());
  const auto task = engine::task_of(**model, "");
  REQUIRE(task.has_value());
  engine::Weights euler = (*model)->weights;
  euler.config.lambda_override = 1;
  auto own = open((*model)->weights, BackendChoice::cpu, 4), other = open(euler, BackendChoice::cpu, 4);
  const engine::EvaluateOptions options{64, 8, 3};
  const auto fixed = engine::evaluate_with_lambda(*own, (*model)->config(), **task, 1, options, {});
  const auto expected = engine::evaluate(*other, euler.config, **task, options, {});
  const auto plain = engine::evaluate_with_lambda(*own, (*model)->config(), **task, -1, options, {});
  REQUIRE(fixed.has_value());
  REQUIRE(expected.has_value());
  REQUIRE(plain.has_value());
  CHECK(fixed->right_at == expected->right_at);
  CHECK(plain->accuracy() > 0.9);
  CHECK(fixed->accuracy() < plain->accuracy());
}

TEST_CASE("effect: a distance from a state that is zero counts in no mean") {
  engine::EffectToken token;
  token.sequences.resize(2);
  token.sequences[0].distance = {0, 0};
  token.sequences[1].distance = {INFINITY, INFINITY};
  engine::EffectToken next = token;
  next.sequences[1].distance = {0.25, INFINITY};
  const engine::EffectSummary sum = engine::summarise(std::vector{token, next}, 1);
  CHECK(sum.mean_distance[0] == 0.25);
  CHECK_FALSE(std::isfinite(sum.mean_distance[1]));
}
