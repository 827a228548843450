// Parts of one text's state in another's.
#include "engine/effect/patching.h"

#include "engine/tasks/evaluate.h"
#include "tests/support/bits.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

using engine::Patch;
using engine::PatchPart;

namespace {

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, int batch) {
  auto backend = engine::make_backend(weights, {engine::BackendChoice::cpu, batch, 2});
  REQUIRE(backend.has_value());
  return std::move(*backend);
}

engine::SequenceState after(const engine::Weights& weights, const std::vector<std::int32_t>& ids) {
  auto backend = open(weights, 1);
  auto state = engine::state_after(*backend, weights.config, ids);
  REQUIRE(state.has_value());
  return std::move(*state);
}

bool same(const engine::SequenceState& a, const engine::SequenceState& b) {
  bool equal = a.layers.size() == b.layers.size();
  for (std::size_t l = 0; l < a.layers.size() && equal; ++l)
    equal = tests::same_bits(a.layers[l].ssm, b.layers[l].ssm) && tests::same_bits(a.layers[l].k, b.layers[l].k) &&
            tests::same_bits(a.layers[l].v, b.layers[l].v) && tests::same_bits(a.layers[l].angle, b.layers[l].angle) &&
            a.layers[l].turns == b.layers[l].turns;
  return equal;
}

const std::vector<std::int32_t> receiver_ids = {1, 2, 3, 1, 0}, donor_ids = {2, 2, 0, 3, 1}, behind = {3, 1, 2};

}  // namespace

TEST_CASE("all parts of one kind together are the donor's state, each alone is not, and from itself nothing") {
  for (const tests::UnusualModel& unusual : tests::unusual_models()) {
    CAPTURE(unusual.name);
    const engine::Weights weights = tests::weights_of(unusual, 3);
    const engine::ModelConfig& config = weights.config;
    const engine::SequenceState receiver = after(weights, receiver_ids), donor = after(weights, donor_ids);
    REQUIRE_FALSE(same(receiver, donor));
    std::vector<std::vector<Patch>> kinds = {engine::every_head(config), engine::every_layer(config), {}};
    for (int l = 0; l < config.n_layer; ++l) {
      for (const Patch& pair : engine::every_pair(config, l)) kinds[2].push_back(pair);
    }
    for (std::size_t kind = 0; kind < 3; ++kind) {
      engine::SequenceState sum = receiver;
      for (const Patch& patch : kinds[kind]) {
        const auto one = engine::patched(config, receiver, donor, patch);
        REQUIRE(one.has_value());
        CHECK_FALSE(same(*one, receiver));
        CHECK(same(engine::patched(config, receiver, receiver, patch).value(), receiver));
        sum = engine::patched(config, sum, donor, patch).value();
      }
      if (kind == 2) {  // the last values belong to no pair
        for (std::size_t l = 0; l < sum.layers.size(); ++l) {
          CHECK(tests::same_bits(sum.layers[l].v, receiver.layers[l].v));
          sum.layers[l].v = donor.layers[l].v;
        }
      }
      CHECK(same(sum, donor));
    }
  }
}

TEST_CASE("the whole state goes on as the donor would, and a head from itself as the receiver") {
  for (const tests::UnusualModel& unusual : tests::unusual_models()) {
    CAPTURE(unusual.name);
    auto model = std::make_shared<engine::Model>();
    model->weights = tests::weights_of(unusual, 3);
    const engine::ModelConfig& config = model->config();
    const engine::SequenceState receiver = after(model->weights, receiver_ids),
                                donor = after(model->weights, donor_ids);
    auto backend = open(model->weights, 4);
    const std::vector<Patch> whole = {{PatchPart::whole}, {PatchPart::head, 0, 0, 0}};
    const auto grid = engine::patch_effects(*backend, *model, receiver, donor, behind, whole, {});
    REQUIRE(grid.has_value());
    std::vector<float> patched(static_cast<std::size_t>(config.padded_vocab())), own = patched;
    REQUIRE(backend->read_logits(2, patched).has_value());
    auto alone = open(model->weights, 1);
    std::vector<std::int32_t> all = donor_ids;
    all.insert(all.end(), behind.begin(), behind.end());
    REQUIRE(engine::state_after(*alone, config, all).has_value());
    REQUIRE(alone->read_logits(0, own).has_value());
    CHECK(tests::same_bits(patched, own));
    for (std::size_t t = 0; t < behind.size(); ++t) {
      const engine::PatchOnToken& on = grid->effects[0].tokens[t];
      CHECK(on.predicted == grid->reference.donor_answer[t]);
      CHECK(on.logit_difference == grid->reference.donor_difference[t]);
      CHECK(on.kl_bits > 0);
      const double share = grid->reference.share(t, on.logit_difference);
      if (grid->reference.donor_answer[t] == grid->reference.receiver_answer[t])
        CHECK(std::isnan(share));
      else
        CHECK(share == 1);
    }
    const auto itself =
        engine::patch_effects(*backend, *model, receiver, receiver, behind, engine::every_head(config), {});
    REQUIRE(itself.has_value());
    for (const engine::PatchEffect& effect : itself->effects) {
      for (std::size_t t = 0; t < behind.size(); ++t) {
        CHECK(effect.tokens[t].kl_bits == 0);
        CHECK(effect.tokens[t].predicted == itself->reference.receiver_answer[t]);
      }
    }
  }
}

TEST_CASE("a grid is the same whatever the batch, tells its progress and can be ended") {
  auto model = std::make_shared<engine::Model>();
  model->weights = tests::weights_of(tests::unusual_models().front(), 3);
  const engine::SequenceState receiver = after(model->weights, receiver_ids), donor = after(model->weights, donor_ids);
  const std::vector<Patch> heads = engine::every_head(model->config());
  std::vector<engine::PatchGrid> grids;
  for (const int batch : {3, 4, 2 + static_cast<int>(heads.size())}) {
    auto backend = open(model->weights, batch);
    double last = 0;
    auto grid = engine::patch_effects(*backend, *model, receiver, donor, behind, heads, [&](double done) {
      CHECK(done > last);
      last = done;
      return true;
    });
    REQUIRE(grid.has_value());
    CHECK(last == doctest::Approx(1));
    REQUIRE(grid->effects.size() == heads.size());
    grids.push_back(std::move(*grid));
  }
  for (std::size_t i = 0; i < heads.size(); ++i) {
    CHECK(grids[0].effects[i].patch == heads[i]);
    for (const engine::PatchGrid& grid : grids)
      CHECK(grid.effects[i].tokens.back().logit_difference == grids[0].effects[i].tokens.back().logit_difference);
  }
  auto backend = open(model->weights, 3);
  int calls = 0;
  const auto ended =
      engine::patch_effects(*backend, *model, receiver, donor, behind, heads, [&](double) { return ++calls < 4; });
  REQUIRE(ended.has_value());
  CHECK(ended->effects.size() == 1);
  CHECK_FALSE(engine::patch_effects(*backend, *model, receiver, donor, {}, heads, {}).has_value());
  auto small = open(model->weights, 2);
  CHECK_FALSE(engine::patch_effects(*small, *model, receiver, donor, behind, heads, {}).has_value());
  for (const Patch& wrong :
       {Patch{PatchPart::layer, 99, 0, 0}, Patch{PatchPart::head, 0, -1, 0}, Patch{PatchPart::pair, 0, 0, 9999}})
    CHECK_FALSE(engine::patched(model->config(), receiver, donor, wrong).has_value());
  engine::SequenceState part = donor;
  part.layers.front().ssm.clear();
  CHECK_FALSE(engine::patched(model->config(), receiver, part, heads.front()).has_value());
}

TEST_CASE("a patch under interventions starts from the state that they leave, and goes on under them") {
  const tests::UnusualModel unusual = tests::unusual_models()[0];
  auto model = std::make_shared<engine::Model>();
  model->weights = tests::weights_of(unusual, 3);
  const engine::ModelConfig& config = model->weights.config;
  engine::Intervention half;
  half.quantity = engine::Quantity::dt;
  half.value = 0.5;
  half.tokens = {2, -1};
  auto backend = open(model->weights, 3);
  const auto receiver = engine::state_after(*backend, config, receiver_ids, {half});
  REQUIRE(receiver.has_value());
  CHECK_FALSE(same(*receiver, after(model->weights, receiver_ids)));
  const auto grid =
      engine::patch_effects(*backend, *model, *receiver, *receiver, behind, engine::every_layer(config), {}, {half});
  REQUIRE(grid.has_value());
  for (const engine::PatchEffect& effect : grid->effects)
    for (const engine::PatchOnToken& on : effect.tokens) CHECK(on.kl_bits == 0);
  std::vector<std::int32_t> all = receiver_ids;
  all.insert(all.end(), behind.begin(), behind.end());
  const auto whole = engine::state_after(*backend, config, all, {half});
  REQUIRE(whole.has_value());
  CHECK_FALSE(same(*whole, after(model->weights, all)));
  // Stopped on the way; a change that there cannot be.
  CHECK_FALSE(engine::state_after(*backend, config, all, {}, [](double) { return false; }).has_value());
  half.layers = {99, 100};
  CHECK_FALSE(engine::state_after(*backend, config, all, {half}).has_value());
}
