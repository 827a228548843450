// Counterfactuals beside the model, their matched controls, and doses.
#include "engine/effect/intervention_effect.h"

#include "engine/effect/dose_response.h"
#include "engine/effect/presets.h"
#include "engine/intervention/text.h"
#include "engine/tasks/evaluate.h"
#include "tests/support/bits.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

using engine::ControlKind;
using engine::Intervention;

namespace {

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, int batch) {
  auto backend = engine::make_backend(weights, {engine::BackendChoice::cpu, batch, 2});
  REQUIRE(backend.has_value());
  return std::move(*backend);
}

std::shared_ptr<const engine::Model> made_up(std::size_t which) {
  auto model = std::make_shared<engine::Model>();
  model->weights = tests::weights_of(tests::unusual_models()[which], 3);
  model->name = "made up";
  return model;
}

std::vector<Intervention> list(std::initializer_list<const char*> texts) {
  std::vector<Intervention> out;
  for (const char* text : texts) {
    const auto read = engine::parse_intervention(text);
    REQUIRE(read.has_value());
    out.push_back(*read);
  }
  return out;
}

const std::vector<std::int32_t> ids = {1, 2, 3, 1, 0, 2, 2, 1};

std::vector<engine::EffectToken> run(const engine::Model& model, const engine::EffectPlan& plan) {
  auto backend = open(model.weights, plan.sequences());
  auto tokens = engine::intervention_effect(*backend, model, ids, plan, {3, true, true}, {});
  REQUIRE_MESSAGE(tokens.has_value(), (tokens ? "" : tokens.error().message));
  return std::move(*tokens);
}

}  // namespace

TEST_CASE("nothing changed has the bits of the model, and so have its controls") {
  for (std::size_t which = 0; which < tests::unusual_models().size(); ++which) {
    const auto model = made_up(which);
    for (const ControlKind kind : {ControlKind::state, ControlKind::step, ControlKind::rotation}) {
      for (const engine::EffectToken& token : run(*model, {{{}}, 2, kind, 1})) {
        for (std::size_t s = 1; s < 4; ++s) {
          CHECK(token.sequences[s].kl_bits == 0);
          CHECK(token.sequences[s].p == token.sequences[0].p);
          CHECK(token.sequences[s].logit_difference == token.sequences[0].logit_difference);
          for (const double d : token.sequences[s].distance) CHECK(d == 0);
        }
      }
    }
  }
}

TEST_CASE("an intervention changes the tokens of its range, and the model is its own again afterwards") {
  const auto model = made_up(0);
  const engine::EffectPlan plan{{list({"rotation*0 @ tokens 3-5"})}, 1, ControlKind::state, 1};
  auto backend = open(model->weights, 3);
  const auto tokens = engine::intervention_effect(*backend, *model, ids, plan, {3, true, true}, {});
  REQUIRE(tokens.has_value());
  for (std::size_t t = 0; t < 3; ++t) CHECK((*tokens)[t].sequences[1].kl_bits == 0);
  for (std::size_t t = 3; t < ids.size(); ++t) {
    CHECK((*tokens)[t].sequences[1].kl_bits > 0);
    CHECK((*tokens)[t].sequences[1].distance[0] > 0);
    CHECK((*tokens)[t].sequences[1].head_distance.size() ==
          static_cast<std::size_t>(model->config().n_layer * model->config().heads()));
  }
  REQUIRE(backend->reset().has_value());
  std::vector<float> own(static_cast<std::size_t>(model->config().padded_vocab())), other = own;
  for (const std::int32_t id : ids) {
    const std::vector<std::int32_t> all(3, id);
    REQUIRE(backend->step(all, nullptr).has_value());
  }
  REQUIRE(backend->read_logits(0, own).has_value());
  REQUIRE(backend->read_logits(1, other).has_value());
  CHECK(tests::same_bits(own, other));

  // Another batch, or something that the model does not have, is refused; a run that is ended keeps what it had.
  CHECK_FALSE(engine::intervention_effect(*backend, *model, ids, {{{}}, 2}, {}, {}).has_value());
  CHECK_FALSE(
      engine::intervention_effect(*backend, *model, ids, {{list({"dt*0 @ layers 99"})}, 1}, {}, {}).has_value());
  const auto ended =
      engine::intervention_effect(*backend, *model, ids, plan, {}, [](double done) { return done < 0.3; });
  REQUIRE(ended.has_value());
  CHECK(ended->size() == 3);
}

TEST_CASE("a random state is as far from the original as the counterfactual, in every head") {
  for (std::size_t which = 0; which < tests::unusual_models().size(); ++which) {
    const auto model = made_up(which);
    const engine::ModelConfig& config = model->config();
    auto backend = open(model->weights, 2);
    REQUIRE(backend->intervene(1, engine::changes_at(list({"dt*2"}), config, 0)).has_value());
    engine::SideBySide side(*backend, *model, {});
    for (std::int64_t t = 0; t < 4; ++t) {
      REQUIRE(side.step(ids[static_cast<std::size_t>(t)], -1).has_value());
      const auto a = side.state(0), b = side.state(1);
      REQUIRE(a.has_value());
      REQUIRE(b.has_value());
      const engine::SequenceState control = engine::pushed(config, **a, **b, **a, {9, 0, t});
      const engine::SequenceState other = engine::pushed(config, **a, **b, **a, {9, 1, t});
      const engine::SequenceState again = engine::pushed(config, **a, **b, **a, {9, 0, t});
      for (std::size_t l = 0; l < control.layers.size(); ++l) {
        CHECK(tests::same_bits(control.layers[l].k, (*a)->layers[l].k));
        CHECK(tests::same_bits(control.layers[l].angle, (*a)->layers[l].angle));
        CHECK(tests::same_bits(control.layers[l].ssm, again.layers[l].ssm));
        CHECK_FALSE(tests::same_bits(control.layers[l].ssm, other.layers[l].ssm));
        for (int head = 0; head < config.heads(); ++head) {
          const double asked = engine::apart(config, (*b)->layers[l], (*a)->layers[l], head).squared;
          const double made = engine::apart(config, control.layers[l], (*a)->layers[l], head).squared;
          const double between = engine::apart(config, control.layers[l], other.layers[l], head).squared;
          REQUIRE(asked > 0);
          // The state is rounded to fp32: half a unit in the last place of each value.
          CHECK(std::sqrt(made) == doctest::Approx(std::sqrt(asked)).epsilon(1e-5));
          CHECK(between > 0.5 * asked);  // two directions: 2 asked on average
        }
      }
    }
  }
}

TEST_CASE("a random turn is as large as the counterfactual's change of the advance, in every head") {
  const auto model = made_up(0);
  const engine::ModelConfig& config = model->config();
  const auto heads = static_cast<std::size_t>(config.n_layer) * static_cast<std::size_t>(config.heads());
  std::vector<double> apart(heads, 0.0);
  apart[0] = 0.25;
  apart[heads - 1] = 3;
  const engine::SequenceChanges changes = engine::rotation_control(config, apart, {4, 0, 7});
  const auto angles = static_cast<std::size_t>(config.angles());
  REQUIRE(changes.pairs.size() == heads * angles);
  for (std::size_t at = 0; at < heads; ++at) {
    double sum = 0;
    for (std::size_t i = 0; i < angles; ++i) {
      const kernels::PairChange& pair = changes.pairs[at * angles + i];
      CHECK(pair.source == static_cast<int>(i));
      CHECK(pair.advance.scale == 1);
      sum += static_cast<double>(pair.advance.offset) * static_cast<double>(pair.advance.offset);
    }
    CHECK(std::sqrt(sum) == doctest::Approx(apart[at]).epsilon(1e-6));
  }
  CHECK(engine::rotation_control(config, std::vector<double>(heads, 0.0), {4, 0, 7}).none());

  // In a run: the first layer reads the same in every sequence, so that its advance is off by just that.
  auto backend = open(model->weights, 3);
  const engine::EffectPlan plan{{list({"rotation*0"})}, 1, ControlKind::rotation, 2};
  const auto tokens = engine::intervention_effect(*backend, *model, std::span(ids).first(1), plan, {}, {});
  REQUIRE(tokens.has_value());
  std::vector<int> layers;
  for (int l = 0; l < config.n_layer; ++l) layers.push_back(l);
  engine::SequenceState states[3];
  for (int s = 0; s < 3; ++s) REQUIRE(backend->read_state(s, layers, true, states[s]).has_value());
  engine::SequenceState zero = states[0];
  for (engine::LayerState& layer : zero.layers) {
    std::fill(layer.angle.begin(), layer.angle.end(), 0.0F);
    std::fill(layer.turns.begin(), layer.turns.end(), 0);
  }
  const auto asked = engine::advance_apart(config, zero, states[0], zero, states[1]);
  const auto made = engine::advance_apart(config, zero, states[0], zero, states[2]);
  for (std::size_t head = 0; head < static_cast<std::size_t>(config.heads()); ++head) {
    REQUIRE(asked[head] > 0);
    CHECK(made[head] == doctest::Approx(asked[head]).epsilon(1e-4));
  }
}

TEST_CASE("strengths: 0 changes nothing, 1 is the intervention, and between it is on the way") {
  const auto full = list({"rotation*0", "dt+0.2", "lambda=1"});
  CHECK(engine::at_strength(full, 0)->empty());
  CHECK(*engine::at_strength(full, 1) == full);
  CHECK(*engine::at_strength(full, 0.25) == list({"rotation*0.75", "dt+0.05", "lambda*0.75", "lambda+0.25"}));
  CHECK_FALSE(engine::at_strength(list({"rotation~3"}), 0.5).has_value());
  CHECK(engine::at_strength(list({"rotation~3"}), 1).has_value());
  CHECK_FALSE(engine::at_strength(full, std::nan("")).has_value());

  const auto model = made_up(0);
  engine::DosePlan plan;
  plan.interventions = full;
  plan.strengths = {0, 0.5, 1};
  plan.controls = 2;
  const engine::EffectText text{ids, {0, 1, -1, 0, 1, 0, 1, 0}};
  std::vector<engine::DosePoint> first;
  for (const int at_once : {3, 2, 1}) {  // all at once, in parts, one by one: the same bits
    auto backend = open(model->weights, plan.batch(at_once));
    const auto points = engine::dose_response(*backend, *model, std::span(&text, 1), plan, {});
    REQUIRE(points.has_value());
    REQUIRE(points->size() == 3);
    if (first.empty()) first = *points;
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK((*points)[i].counterfactual.kl_bits == first[i].counterfactual.kl_bits);
      CHECK((*points)[i].controls[1].kl_bits == first[i].controls[1].kl_bits);
    }
  }
  CHECK(first[0].counterfactual.kl_bits == 0);
  CHECK(first[0].controls[0].kl_bits == 0);
  CHECK(first[0].own.labelled == 7);
  CHECK(first[1].counterfactual.kl_bits > 0);
  const auto tokens = run(*model, {{full}, 2, ControlKind::state, 0});
  const engine::EffectSummary sum = engine::summarise(tokens, 1), control = engine::summarise(tokens, 3);
  CHECK(first[2].counterfactual.mean_kl_bits() == doctest::Approx(sum.mean_kl_bits));
  CHECK(first[2].counterfactual.mean_logit_difference() == doctest::Approx(sum.mean_logit_difference));
  CHECK(first[2].controls[1].mean_kl_bits() == doctest::Approx(control.mean_kl_bits));
  auto other = open(model->weights, 3);
  CHECK_FALSE(engine::dose_response(*other, *model, std::span(&text, 1), plan, {}).has_value());
}

TEST_CASE("pushes as large as one changed step: of the size that the step shows, and they gather") {
  const auto model = made_up(0);
  const engine::ModelConfig& config = model->config();
  const auto one = std::span(ids).first(1);
  // After the first token the counterfactual is one changed step from the original.
  auto backend = open(model->weights, 3);
  const engine::EffectPlan plan{{list({"dt*2"})}, 1, ControlKind::step, 2};
  REQUIRE(engine::intervention_effect(*backend, *model, one, plan, {}, {}).has_value());
  std::vector<int> layers;
  for (int l = 0; l < config.n_layer; ++l) layers.push_back(l);
  engine::SequenceState states[3];
  for (int s = 0; s < 3; ++s) REQUIRE(backend->read_state(s, layers, true, states[s]).has_value());
  for (std::size_t l = 0; l < states[0].layers.size(); ++l) {
    for (int head = 0; head < config.heads(); ++head) {
      const double asked = engine::apart(config, states[1].layers[l], states[0].layers[l], head).squared;
      const double made = engine::apart(config, states[2].layers[l], states[0].layers[l], head).squared;
      REQUIRE(asked > 0);
      CHECK(std::sqrt(made) == doctest::Approx(std::sqrt(asked)).epsilon(1e-5));
    }
  }
  // The counterfactual and the original are those of a run without controls, bit for bit.
  const auto with = run(*model, plan), without = run(*model, {plan.lists, 0});
  for (std::size_t t = 0; t < ids.size(); ++t) {
    CHECK(with[t].sequences[0].p[0] == without[t].sequences[0].p[0]);
    CHECK(with[t].sequences[1].kl_bits == without[t].sequences[1].kl_bits);
    CHECK(with[t].sequences[1].head_distance == without[t].sequences[1].head_distance);
  }
  CHECK(with[1].sequences[2].kl_bits > 0);
}

TEST_CASE("on parity a little less rotation destroys the answer, and a random state as far away does not") {
  const auto model = engine::load_model("parity", {});
  REQUIRE(model.has_value());
  const auto task = engine::task_of(**model, "");
  REQUIRE(task.has_value());
  const engine::LabelledSequence drawn = (*task)->draw(1, 0, 128);
  const engine::EffectText text{drawn.ids, drawn.labels};
  for (const char* change : {"rotation*0.95", "rotation*0.9", "rotation*0.8"}) {
    const engine::EffectPlan plan{{list({change})}, 2, ControlKind::state, 1};
    auto backend = open((*model)->weights, plan.sequences());
    const auto tallies = engine::tally_effects(*backend, **model, std::span(&text, 1), plan, {});
    REQUIRE(tallies.has_value());
    CHECK((*tallies)[0].accuracy() == 1);
    CHECK((*tallies)[1].accuracy() < 0.6);
    CHECK((*tallies)[2].accuracy() > 0.95);
    CHECK((*tallies)[3].accuracy() > 0.95);
  }
}

TEST_CASE("presets fit every model that they are offered for") {
  for (std::size_t which = 0; which < tests::unusual_models().size(); ++which) {
    const auto model = made_up(which);
    engine::MeanDt mean;
    CHECK(mean.mean().empty());
    auto backend = open(model->weights, 1);
    for (const std::int32_t id : {1, 2}) {
      REQUIRE(backend->step(std::span(&id, 1), nullptr).has_value());
      engine::StepCoefficients coefficients;
      REQUIRE(backend->read_coefficients(0, coefficients).has_value());
      mean.add(coefficients);
    }
    const auto presets = engine::intervention_presets(model->config(), mean.mean());
    CHECK(presets.back().key == "freeze-dt");
    CHECK(presets.back().list.size() == mean.mean().size());
    for (const engine::InterventionPreset& preset : presets) {
      CAPTURE(preset.name);
      for (const Intervention& intervention : preset.list)
        CHECK(engine::check(intervention, model->config()).has_value());
      const auto tokens = run(*model, {{preset.list}, 0});
      CHECK(tokens.back().sequences[1].kl_bits >= 0);
    }
    CHECK(engine::intervention_presets(model->config(), {}).back().key == "trapezoid");
  }
}

TEST_CASE("with a base every run starts from the model under it") {
  const auto model = made_up(0);
  const std::vector<Intervention> base = list({"dt*0.5 @ tokens 2-", "rank_write*0.7"}), change = list({"lambda=1"});
  for (const ControlKind kind : {ControlKind::state, ControlKind::step, ControlKind::rotation}) {
    const auto on_top = run(*model, {{change, {}}, 1, kind, 1, base});
    const auto whole = run(*model, {{base, list({"dt*0.5 @ tokens 2-", "rank_write*0.7", "lambda=1"})}, 0, kind, 1});
    REQUIRE(on_top.size() == whole.size());
    for (std::size_t t = 0; t < whole.size(); ++t) {
      CHECK(on_top[t].sequences[0].entropy_bits == whole[t].sequences[1].entropy_bits);
      CHECK(on_top[t].sequences[1].entropy_bits == whole[t].sequences[2].entropy_bits);
      // An empty list, and the controls of one, are the base.
      CHECK(engine::same_as_first(on_top[t], 3));
      CHECK(engine::same_as_first(on_top[t], 4));
    }
  }
}
