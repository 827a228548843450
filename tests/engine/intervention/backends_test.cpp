// What interventions do to the step of the CPU and the reference backend: nothing where neutral, what another model does
// where there is one, what double says everywhere.
#include "engine/backend/cpu_backend.h"
#include "engine/backend/reference_backend.h"
#include "engine/verify/errors.h"
#include "tests/support/difference.h"
#include "tests/support/intervention_cases.h"

#include <algorithm>
#include <cmath>
#include <memory>

using engine::BackendChoice;
using engine::Operation;
using engine::Quantity;
using tests::difference;
using tests::picture_of;
using tests::same_bits;
using tests::step_through;

namespace {

constexpr int tokens = 6;

std::vector<tests::UnusualModel> models() {
  engine::ModelConfig base;
  base.d_model = 64;
  base.d_intermediate = 96;
  base.n_layer = 2;
  base.vocab_size = 61;
  base.d_state = 40;
  base.headdim = 24;
  base.expand = 1.5;
  std::vector<tests::UnusualModel> all;
  const auto add = [&](const char* name, auto change) {
    engine::ModelConfig config = base;
    change(config);
    all.push_back({name, config, kernels::DType::f32, 4, 2});
  };
  const auto mimo = [](engine::ModelConfig& c, int rank) { c.is_mimo = true, c.mimo_rank = rank; };
  add("siso", [](auto&) {});
  add("siso-norm", [](auto& c) { c.is_outproj_norm = true, c.rope_fraction = 1.0; });
  add("mimo-r2", [&](auto& c) { mimo(c, 2); });
  add("mimo-r4-norm", [&](auto& c) { mimo(c, 4), c.is_outproj_norm = true; });
  add("mimo-r1", [&](auto& c) { mimo(c, 1); });
  return all;
}

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, BackendChoice choice, int batch,
                                      bool errors = false) {
  engine::BackendOptions options;
  options.choice = choice;
  options.batch = batch;
  options.threads = 2;
  options.errors = errors;
  auto backend = engine::make_backend(weights, options);
  REQUIRE(backend.has_value());
  return std::move(*backend);
}

}  // namespace

TEST_CASE("interventions: neutral tables change no bit, on any instruction set") {
  for (const tests::UnusualModel& model : models()) {
    CAPTURE(model.name);
    const engine::Weights weights = tests::weights_of(model, 3);
    const auto compare = [&](engine::Backend& changed, engine::Backend& plain) {
      REQUIRE(changed.intervene(1, tests::neutral_changes(model.config)).has_value());
      step_through(changed, model.config.vocab_size, 0, tokens);
      step_through(plain, model.config.vocab_size, 0, tokens);
      const auto own = picture_of(plain, model.config, 0);
      for (const int sequence : {0, 1}) {
        const auto seen = picture_of(changed, model.config, sequence);
        CHECK(same_bits(seen, own));
        CHECK(same_bits(seen.coefficients.turn, own.coefficients.turn));
        engine::StepErrors found, expected;
        REQUIRE(changed.read_errors(sequence, found).has_value());
        REQUIRE(plain.read_errors(0, expected).has_value());
        CHECK(tests::same_bytes(found.stored.data(), expected.stored.data(), found.stored.size() * 12));
        CHECK(tests::same_bytes(found.unrotated.data(), expected.unrotated.data(), found.unrotated.size() * 12));
      }
    };
    for (const kernels::cpu::Table* table : kernels::cpu::tables()) {
      CAPTURE(table->name);
      engine::CpuBackend changed(weights, 2, 2, table, true), plain(weights, 1, 1, table, true);
      compare(changed, plain);
    }
    compare(*open(weights, BackendChoice::reference, 2, true), *open(weights, BackendChoice::reference, 1, true));
  }
}

TEST_CASE("interventions: what a change of the weights does too, bit for bit; the other sequence keeps its bits") {
  for (const tests::UnusualModel& model : models()) {
    for (const tests::InterventionCase& c : tests::intervention_cases(model.config)) {
      CAPTURE(model.name);
      CAPTURE(c.name);
      engine::Weights own = tests::weights_of(model, 3), edited = tests::weights_of(model, 3);
      if (c.prepare) c.prepare(own), c.prepare(edited);
      c.edit(edited);
      for (const engine::Intervention& by : c.interventions) REQUIRE(engine::check(by, model.config).has_value());
      const engine::SequenceChanges changes = engine::changes_at(c.interventions, model.config, 0);
      REQUIRE_FALSE(changes.none());
      for (const BackendChoice choice : {BackendChoice::cpu, BackendChoice::reference}) {
        CAPTURE(static_cast<int>(choice));
        auto changed = open(own, choice, 2), other = open(edited, choice, 1), plain = open(own, choice, 1);
        REQUIRE(changed->intervene(1, changes).has_value());
        step_through(*changed, model.config.vocab_size, 0, tokens);
        step_through(*other, model.config.vocab_size, 0, tokens);
        step_through(*plain, model.config.vocab_size, 0, tokens);
        const auto seen = picture_of(*changed, model.config, 1);
        const auto expected = picture_of(*other, edited.config, 0);
        if (c.rounds && choice == BackendChoice::reference) {
          CHECK(difference(seen.logits, expected.logits).max_rel < 1e-6);
        } else {
          CHECK(same_bits(seen, expected));
        }
        CHECK(same_bits(picture_of(*changed, model.config, 0), picture_of(*plain, model.config, 0)));
        CHECK_FALSE(same_bits(seen, picture_of(*plain, model.config, 0)));

        // Taken away, and through a reset.
        REQUIRE(changed->intervene(1, {}).has_value());
        REQUIRE(changed->reset().has_value());
        step_through(*changed, model.config.vocab_size, 0, tokens);
        CHECK(same_bits(picture_of(*changed, model.config, 1), picture_of(*plain, model.config, 0)));
      }
    }
  }
}

TEST_CASE("interventions: all at once, fp32 agrees with double") {
  for (const tests::UnusualModel& model : models()) {
    CAPTURE(model.name);
    const engine::Weights weights = tests::weights_of(model, 3);
    const engine::SequenceChanges changes = tests::busy_changes(model.config, 11);
    auto exact = open(weights, BackendChoice::reference, 2, true);
    REQUIRE(exact->intervene(1, changes).has_value());
    step_through(*exact, model.config.vocab_size, 0, tokens);
    const auto expected = picture_of(*exact, model.config, 1);
    for (const kernels::cpu::Table* table : kernels::cpu::tables()) {
      CAPTURE(table->name);
      engine::CpuBackend cpu(weights, 2, 2, table, true);
      REQUIRE(cpu.intervene(1, changes).has_value());
      step_through(cpu, model.config.vocab_size, 0, tokens);
      const auto seen = picture_of(cpu, model.config, 1);
      CHECK(difference(seen.logits, expected.logits).max_rel < 1e-4);
      for (std::size_t l = 0; l < seen.state.layers.size(); ++l) {
        CHECK(difference(seen.state.layers[l].ssm, expected.state.layers[l].ssm).max_rel < 1e-4);
        CHECK(difference(seen.state.layers[l].k, expected.state.layers[l].k).max_rel < 1e-4);
        CHECK(seen.state.layers[l].turns == expected.state.layers[l].turns);
      }
      CHECK(difference(seen.coefficients.dt, expected.coefficients.dt).max_rel < 1e-5);
      CHECK(difference(seen.coefficients.beta, expected.coefficients.beta).max_rel < 1e-5);
      CHECK(difference(seen.coefficients.gamma, expected.coefficients.gamma).max_rel < 1e-5);
      engine::StepErrors found, true_errors;
      REQUIRE(cpu.read_errors(1, found).has_value());
      REQUIRE(exact->read_errors(1, true_errors).has_value());
      for (std::size_t i = 0; i < found.stored.size(); ++i) {
        CHECK(found.stored[i].model == doctest::Approx(true_errors.stored[i].model).epsilon(1e-3));
        CHECK(found.unrotated[i].model == doctest::Approx(true_errors.unrotated[i].model).epsilon(1e-3));
      }
    }
  }
}

TEST_CASE("interventions: scalars are changed before what follows from them, and kept within their limits") {
  const tests::UnusualModel model = models().front();
  const engine::ModelConfig& config = model.config;
  const engine::Weights weights = tests::weights_of(model, 3);
  const auto heads = static_cast<std::size_t>(config.heads());
  for (const BackendChoice choice : {BackendChoice::cpu, BackendChoice::reference}) {
    // The first layer's projected scalars are those of the token alone.
    const auto first_layer = [&](const std::vector<engine::Intervention>& by) {
      auto backend = open(weights, choice, 1);
      REQUIRE(backend->intervene(0, engine::changes_at(by, config, 0)).has_value());
      step_through(*backend, config.vocab_size, 0, 2);
      return picture_of(*backend, config, 0);
    };
    const auto own = first_layer({});
    const auto seen = first_layer({tests::intervention(Quantity::dt, Operation::scale, 1.5),
                                   tests::intervention(Quantity::dt, Operation::add, 0.1),
                                   tests::intervention(Quantity::a, Operation::scale, 0.5),
                                   tests::intervention(Quantity::lambda, Operation::add, 0.05)});
    for (std::size_t h = 0; h < heads; ++h) {
      const double dt = 1.5 * double{own.coefficients.dt[h]} + 0.1, a = 0.5 * double{own.coefficients.a[h]};
      const double lambda = std::min(1.0, double{own.coefficients.lambda[h]} + 0.05);
      CHECK(double{seen.coefficients.dt[h]} == doctest::Approx(dt).epsilon(1e-6));
      CHECK(double{seen.coefficients.a[h]} == doctest::Approx(a).epsilon(1e-6));
      CHECK(double{seen.coefficients.lambda[h]} == doctest::Approx(lambda).epsilon(1e-6));
      CHECK(double{seen.coefficients.alpha[h]} == doctest::Approx(std::exp(a * dt)).epsilon(1e-5));
      CHECK(double{seen.coefficients.gamma[h]} == doctest::Approx(lambda * dt).epsilon(1e-6));
      CHECK(double{seen.coefficients.beta[h]} == doctest::Approx((1 - lambda) * dt * std::exp(a * dt)).epsilon(1e-4));
    }
    const auto limited = first_layer({tests::intervention(Quantity::dt, Operation::add, -1000),
                                      tests::intervention(Quantity::a, Operation::scale, -1),
                                      tests::intervention(Quantity::lambda, Operation::add, 3)});
    for (std::size_t h = 0; h < heads; ++h) {
      CHECK(limited.coefficients.dt[h] == 0);
      CHECK(limited.coefficients.a[h] == 0);
      CHECK(limited.coefficients.lambda[h] == 1);
      CHECK(limited.coefficients.alpha[h] == 1);
      CHECK(limited.coefficients.state_change[h] == 0);  // time stands still
    }
  }
}

TEST_CASE("interventions: a rotation that is set turns by so much a token, forwards and backwards") {
  const tests::UnusualModel model = models()[2];
  const engine::Weights weights = tests::weights_of(model, 3);
  for (const BackendChoice choice : {BackendChoice::cpu, BackendChoice::reference}) {
    for (const double advance : {0.7, -0.7, -9.0, 100.0}) {
      CAPTURE(advance);
      auto backend = open(weights, choice, 1);
      const engine::Intervention by = tests::intervention(Quantity::rotation, Operation::set, advance);
      REQUIRE(backend->intervene(0, engine::changes_at({&by, 1}, model.config, 0)).has_value());
      step_through(*backend, model.config.vocab_size, 0, 20);
      const auto seen = picture_of(*backend, model.config, 0);
      for (const engine::LayerState& layer : seen.state.layers) {
        for (std::size_t i = 0; i < layer.angle.size(); ++i) {
          CHECK(layer.angle[i] >= 0);
          CHECK(layer.angle[i] < 6.2831855F);
          const double phase = double{layer.angle[i]} + 2 * std::acos(-1.0) * layer.turns[i];
          CHECK(phase == doctest::Approx(20 * double{static_cast<float>(advance)}).epsilon(1e-6));
        }
      }
    }
  }
}

TEST_CASE("interventions: a changed cell is that of an edited state, and changes stay through reset and restore") {
  const tests::UnusualModel model = models()[2];
  const engine::ModelConfig& config = model.config;
  const engine::Weights weights = tests::weights_of(model, 3);
  engine::Intervention by = tests::intervention(Quantity::state, Operation::set, 0.75);
  by.layers = tests::only(1);
  by.heads = tests::only(2);
  by.row = 5;
  by.channel = 17;
  const engine::SequenceChanges changes = engine::changes_at({&by, 1}, config, 0);
  REQUIRE(changes.cells.size() == 1);

  auto changed = open(weights, BackendChoice::cpu, 2), edited = open(weights, BackendChoice::cpu, 1);
  auto exact = open(weights, BackendChoice::reference, 2);
  for (auto* backend : {changed.get(), edited.get(), exact.get()}) {
    step_through(*backend, config.vocab_size, 0, 3);
  }
  auto before = picture_of(*edited, config, 0).state;
  const auto cell = (static_cast<std::size_t>(2) * static_cast<std::size_t>(config.headdim) + 5) *
                        static_cast<std::size_t>(config.d_state) +
                    17;
  before.layers[1].ssm[cell] = 0.75F;
  REQUIRE(edited->restore(0, before).has_value());
  for (auto* backend : {changed.get(), exact.get()}) REQUIRE(backend->intervene(1, changes).has_value());
  for (auto* backend : {changed.get(), edited.get(), exact.get()}) step_through(*backend, config.vocab_size, 3, 1);
  const auto seen = picture_of(*changed, config, 1);
  CHECK(same_bits(seen, picture_of(*edited, config, 0)));
  CHECK_FALSE(same_bits(seen, picture_of(*changed, config, 0)));
  CHECK(difference(seen.logits, picture_of(*exact, config, 1).logits).max_rel < 1e-5);

  // Still there after a restore and a reset, where a cell is all that a state has at first.
  REQUIRE(changed->restore(1, before).has_value());
  REQUIRE(changed->restore(0, before).has_value());
  step_through(*changed, config.vocab_size, 3, 1);
  CHECK(same_bits(picture_of(*changed, config, 1), seen));
  REQUIRE(changed->reset().has_value());
  step_through(*changed, config.vocab_size, 0, 1);
  CHECK_FALSE(same_bits(picture_of(*changed, config, 1), picture_of(*changed, config, 0)));

  // Tables too.
  const engine::SequenceChanges busy = tests::busy_changes(config, 4);
  REQUIRE(changed->intervene(0, busy).has_value());
  REQUIRE(changed->intervene(1, busy).has_value());
  REQUIRE(changed->restore(0, before).has_value());
  REQUIRE(changed->restore(1, before).has_value());
  step_through(*changed, config.vocab_size, 3, 2);
  CHECK(same_bits(picture_of(*changed, config, 0), picture_of(*changed, config, 1)));
  const auto with = picture_of(*changed, config, 0);
  REQUIRE(changed->intervene(0, {}).has_value());
  REQUIRE(changed->restore(0, before).has_value());
  REQUIRE(changed->restore(1, before).has_value());
  step_through(*changed, config.vocab_size, 3, 2);
  CHECK(same_bits(picture_of(*changed, config, 1), with));
  CHECK_FALSE(same_bits(picture_of(*changed, config, 0), with));
}

TEST_CASE("interventions: the errors of a step are those of the step as it was changed") {
  // Without rotation the un-rotated frame is the stored one, and the tables say so, not the turns.
  for (const tests::UnusualModel& model : models()) {
    CAPTURE(model.name);
    const engine::Weights weights = tests::weights_of(model, 3);
    const engine::Intervention still = tests::intervention(Quantity::rotation, Operation::scale, 0);
    for (const BackendChoice choice : {BackendChoice::cpu, BackendChoice::reference}) {
      auto backend = open(weights, choice, 2, true);
      REQUIRE(backend->intervene(1, engine::changes_at({&still, 1}, model.config, 0)).has_value());
      step_through(*backend, model.config.vocab_size, 0, 3);
      engine::StepErrors plain, seen;
      float turned = 0;  // how far the frames are apart where they do turn
      REQUIRE(backend->read_errors(0, plain).has_value());
      REQUIRE(backend->read_errors(1, seen).has_value());
      for (std::size_t i = 0; i < seen.stored.size(); ++i) {
        CHECK(seen.unrotated[i].euler == doctest::Approx(seen.stored[i].euler).epsilon(1e-5));
        turned = std::max(turned, std::fabs(plain.unrotated[i].euler - plain.stored[i].euler));
      }
      CHECK(turned > 1e-5F);
    }
  }
}

TEST_CASE("interventions: what does not fit is refused and changes nothing") {
  const tests::UnusualModel model = models()[2];
  const engine::ModelConfig& config = model.config;
  const engine::Weights weights = tests::weights_of(model, 3);
  for (const BackendChoice choice : {BackendChoice::cpu, BackendChoice::reference}) {
    auto backend = open(weights, choice, 2);
    const auto refused = [&](int sequence, auto spoil) {
      engine::SequenceChanges changes = tests::busy_changes(config, 3);
      spoil(changes);
      const auto done = backend->intervene(sequence, changes);
      REQUIRE_FALSE(done.has_value());
      CHECK(done.error().kind == engine::ErrorKind::input);
    };
    refused(2, [](auto&) {});
    refused(-1, [](auto&) {});
    refused(1, [](auto& c) { c.heads.pop_back(); });
    refused(1, [](auto& c) { c.ranks.push_back(c.ranks[0]); });
    refused(1, [](auto& c) { c.pairs.resize(1); });
    refused(1, [&](auto& c) { c.pairs[3].source = config.angles(); });
    refused(1, [](auto& c) { c.pairs[3].source = -1; });
    refused(1, [&](auto& c) { c.cells[0].layer = config.n_layer; });
    refused(1, [&](auto& c) { c.cells[0].head = config.heads(); });
    refused(1, [](auto& c) { c.cells[0].row = -1; });
    refused(1, [&](auto& c) { c.cells[0].channel = config.d_state; });
    refused(1, [](auto& c) { c.cells.push_back(c.cells[0]); });
    step_through(*backend, config.vocab_size, 0, 2);
    CHECK(same_bits(picture_of(*backend, config, 0), picture_of(*backend, config, 1)));
  }
}
