// Interventions on the device, in every variant, with and without a graph: nothing where neutral, what another model does
// where there is one, what double says everywhere.
#include "engine/backend/reference_backend.h"
#include "tests/gpu/device.h"
#include "tests/gpu/open_backend.h"
#include "tests/support/difference.h"
#include "tests/support/intervention_cases.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

using engine::Variant;
using kernels::DType;
using tests::difference;
using tests::picture_of;
using tests::same_bits;
using tests::step_through;

namespace {

constexpr int tokens = 4;

struct Way {
  std::string name;
  Variant variant;
  DType state;
  engine::Products products;
  bool graph;
  int batch;
};

std::vector<Way> ways() {
  const auto own = engine::Products::own, automatic = engine::Products::automatic;
  return {{"staged", Variant::staged, DType::f32, own, false, 2},
          {"staged graph", Variant::staged, DType::f32, own, true, 2},
          {"fused", Variant::fused, DType::f32, own, false, 2},
          {"fused graph", Variant::fused, DType::f32, own, true, 3},
          {"fused, bf16 state", Variant::fused, DType::bf16, own, true, 2},
          {"products", Variant::fused, DType::f32, automatic, false, 6},
          {"products graph, bf16 state", Variant::fused, DType::bf16, automatic, true, 6}};
}

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, const Way& way) {
  engine::BackendOptions options;
  options.variant = way.variant;
  options.state = way.state;
  options.products = way.products;
  options.graph = way.graph;
  options.batch = way.batch;
  options.errors = true;
  return gpu_test::open_backend(weights, options);
}

// Heads of any size, and those of the released models, for which the mixer has kernels of its own; weights in bf16, which
// the matrix products take.
std::vector<tests::UnusualModel> models() {
  engine::ModelConfig base;
  base.d_model = 64;
  base.d_intermediate = 96;
  base.n_layer = 2;
  base.vocab_size = 61;
  base.d_state = 40;
  base.headdim = 32;
  std::vector<tests::UnusualModel> all;
  const auto add = [&](const char* name, auto change) {
    engine::ModelConfig config = base;
    change(config);
    all.push_back({name, config, DType::bf16, 4, 2});
  };
  const auto mimo = [](engine::ModelConfig& c, int rank) { c.is_mimo = true, c.mimo_rank = rank; };
  const auto released = [](engine::ModelConfig& c) { c.d_state = 128, c.headdim = 64; };
  add("siso", [](auto&) {});
  add("siso-norm", [](auto& c) { c.is_outproj_norm = true, c.rope_fraction = 1.0; });
  add("mimo-r2", [&](auto& c) { mimo(c, 2); });
  add("mimo-r4-norm", [&](auto& c) { mimo(c, 4), c.is_outproj_norm = true; });
  add("siso-released", [&](auto& c) { released(c); });
  add("mimo-r4-released", [&](auto& c) { mimo(c, 4), released(c); });  // few heads: two blocks share one
  add("mimo-r2-released-norm", [&](auto& c) { mimo(c, 2), released(c), c.is_outproj_norm = true; });
  return all;
}

}  // namespace

TEST_CASE("gpu interventions: neutral tables change no bit") {
  for (const tests::UnusualModel& model : models()) {
    const engine::Weights weights = tests::weights_of(model, 3);
    for (const Way& way : ways()) {
      CAPTURE(model.name);
      CAPTURE(way.name);
      const auto changed = open(weights, way), plain = open(weights, way);
      step_through(*changed, model.config.vocab_size, 0, 1);  // a graph is recorded without tables
      REQUIRE(changed->reset().has_value());
      REQUIRE(changed->intervene(1, tests::neutral_changes(model.config)).has_value());
      step_through(*changed, model.config.vocab_size, 0, tokens);
      step_through(*plain, model.config.vocab_size, 0, tokens);
      const auto own = picture_of(*plain, model.config, 0);
      engine::StepErrors expected;
      REQUIRE(plain->read_errors(0, expected).has_value());
      for (const int sequence : {0, 1}) {
        const auto seen = picture_of(*changed, model.config, sequence);
        CHECK(same_bits(seen, own));
        CHECK(same_bits(seen.coefficients.turn, own.coefficients.turn));
        engine::StepErrors found;
        REQUIRE(changed->read_errors(sequence, found).has_value());
        CHECK(tests::same_bytes(found.stored.data(), expected.stored.data(), found.stored.size() * 12));
        CHECK(tests::same_bytes(found.unrotated.data(), expected.unrotated.data(), found.unrotated.size() * 12));
      }
    }
  }
}

TEST_CASE("gpu interventions: what a change of the weights does too, bit for bit; the other sequence keeps its bits") {
  for (const tests::UnusualModel& model : models()) {
    for (const tests::InterventionCase& c : tests::intervention_cases(model.config)) {
      engine::Weights own = tests::weights_of(model, 3), edited = tests::weights_of(model, 3);
      if (c.prepare) c.prepare(own), c.prepare(edited);
      c.edit(edited);
      const engine::SequenceChanges changes = engine::changes_at(c.interventions, model.config, 0);
      for (const Way& way : ways()) {
        CAPTURE(model.name);
        CAPTURE(c.name);
        CAPTURE(way.name);
        const auto changed = open(own, way), other = open(edited, way), plain = open(own, way);
        REQUIRE(changed->intervene(1, changes).has_value());
        step_through(*changed, model.config.vocab_size, 0, tokens);
        step_through(*other, model.config.vocab_size, 0, tokens);
        step_through(*plain, model.config.vocab_size, 0, tokens);
        const auto seen = picture_of(*changed, model.config, 1);
        CHECK(same_bits(seen, picture_of(*other, edited.config, 1)));
        CHECK(same_bits(picture_of(*changed, model.config, 0), picture_of(*plain, model.config, 0)));
        CHECK_FALSE(same_bits(seen, picture_of(*plain, model.config, 1)));

        // Taken away, and through a reset.
        REQUIRE(changed->intervene(1, {}).has_value());
        REQUIRE(changed->reset().has_value());
        step_through(*changed, model.config.vocab_size, 0, tokens);
        CHECK(same_bits(picture_of(*changed, model.config, 1), picture_of(*plain, model.config, 1)));
      }
    }
  }
}

TEST_CASE("gpu interventions: all at once, the device agrees with double; a new list comes without a new recording") {
  for (const tests::UnusualModel& model : models()) {
    const engine::Weights weights = tests::weights_of(model, 3);
    const engine::SequenceChanges first = tests::busy_changes(model.config, 5),
                                  changes = tests::busy_changes(model.config, 11);
    engine::ReferenceBackend exact(weights, 2, true);
    REQUIRE(exact.intervene(1, changes).has_value());
    step_through(exact, model.config.vocab_size, 0, tokens);
    const auto expected = picture_of(exact, model.config, 1);
    for (const Way& way : ways()) {
      CAPTURE(model.name);
      CAPTURE(way.name);
      const auto backend = open(weights, way);
      REQUIRE(backend->intervene(1, first).has_value());
      step_through(*backend, model.config.vocab_size, 0, 1);
      const auto other = picture_of(*backend, model.config, 1);
      const std::size_t nodes = backend->graph_nodes().size();
      REQUIRE(backend->reset().has_value());
      REQUIRE(backend->intervene(1, changes).has_value());
      CHECK(backend->graph_nodes().size() == nodes);  // the recorded step is kept
      step_through(*backend, model.config.vocab_size, 0, 1);
      CHECK_FALSE(same_bits(picture_of(*backend, model.config, 1), other));
      step_through(*backend, model.config.vocab_size, 1, tokens - 1);
      const auto seen = picture_of(*backend, model.config, 1);
      const double limit = way.state == DType::bf16 ? 3e-2 : 1e-3;
      CHECK(difference(seen.logits, expected.logits).max_rel < limit);
      CHECK(difference(seen.coefficients.gamma, expected.coefficients.gamma).max_rel < limit);
      for (std::size_t l = 0; l < seen.state.layers.size(); ++l) {
        CHECK(difference(seen.state.layers[l].ssm, expected.state.layers[l].ssm).max_rel < limit);
        CHECK(difference(seen.state.layers[l].k, expected.state.layers[l].k).max_rel < limit);
        CHECK(seen.state.layers[l].turns == expected.state.layers[l].turns);
      }
      if (way.state == DType::bf16) continue;
      engine::StepErrors found, true_errors;
      REQUIRE(backend->read_errors(1, found).has_value());
      REQUIRE(exact.read_errors(1, true_errors).has_value());
      for (std::size_t i = 0; i < found.stored.size(); ++i) {
        CHECK(found.stored[i].model == doctest::Approx(true_errors.stored[i].model).epsilon(1e-2));
        CHECK(found.unrotated[i].model == doctest::Approx(true_errors.unrotated[i].model).epsilon(1e-2));
      }
    }
  }
}

TEST_CASE("gpu interventions: a rotation that is set turns by so much a token, forwards and backwards") {
  const tests::UnusualModel model = models()[2];
  const engine::Weights weights = tests::weights_of(model, 3);
  for (const Way& way : ways()) {
    for (const double advance : {0.7, -0.7, -9.0, 100.0}) {
      CAPTURE(way.name);
      CAPTURE(advance);
      const auto backend = open(weights, way);
      const engine::Intervention by = tests::intervention(engine::Quantity::rotation, engine::Operation::set, advance);
      REQUIRE(backend->intervene(1, engine::changes_at({&by, 1}, model.config, 0)).has_value());
      step_through(*backend, model.config.vocab_size, 0, 20);
      for (const engine::LayerState& layer : picture_of(*backend, model.config, 1).state.layers) {
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

TEST_CASE(
    "gpu interventions: cells, many and few, are those of an edited state; changes stay through reset and restore") {
  const tests::UnusualModel model = models()[3];
  const engine::ModelConfig& config = model.config;
  const engine::Weights weights = tests::weights_of(model, 3);
  for (const Way& way : ways()) {
    CAPTURE(way.name);
    const auto changed = open(weights, way), edited = open(weights, way);
    step_through(*changed, config.vocab_size, 0, 2);
    step_through(*edited, config.vocab_size, 0, 2);
    const auto before = picture_of(*edited, config, 1).state;
    for (const int count : {1, 200, 3}) {  // more than the first list has room for, and fewer again
      engine::SequenceChanges changes;
      auto state = before;
      for (int i = 0; i < count; ++i) {
        const kernels::CellChange cell{0, i % 2, 1, i % config.headdim, i % config.d_state, {0, 0.5F}};
        const auto place = static_cast<std::size_t>((config.headdim + cell.row) * config.d_state + cell.channel);
        float& value = state.layers[static_cast<std::size_t>(cell.layer)].ssm[place];
        if (value == 0.5F) continue;  // taken already
        value = 0.5F;
        changes.cells.push_back(cell);
      }
      REQUIRE(edited->restore(1, state).has_value());
      REQUIRE(changed->restore(1, before).has_value());
      REQUIRE(changed->intervene(1, changes).has_value());
      step_through(*changed, config.vocab_size, 2, 1);
      step_through(*edited, config.vocab_size, 2, 1);
      const auto seen = picture_of(*changed, config, 1);
      CHECK(same_bits(seen, picture_of(*edited, config, 1)));
      REQUIRE(changed->restore(1, before).has_value());
      step_through(*changed, config.vocab_size, 2, 1);
      CHECK(same_bits(picture_of(*changed, config, 1), seen));
    }
    REQUIRE(changed->reset().has_value());
    step_through(*changed, config.vocab_size, 0, 1);
    CHECK_FALSE(same_bits(picture_of(*changed, config, 1), picture_of(*changed, config, 0)));
    REQUIRE(changed->intervene(1, {}).has_value());
    REQUIRE(changed->reset().has_value());
    step_through(*changed, config.vocab_size, 0, 1);
    CHECK(same_bits(picture_of(*changed, config, 1), picture_of(*changed, config, 0)));
  }
}

TEST_CASE("gpu interventions: what does not fit is refused and changes nothing") {
  const tests::UnusualModel model = models()[2];
  const engine::ModelConfig& config = model.config;
  const engine::Weights weights = tests::weights_of(model, 3);
  const auto backend = open(weights, ways().front());
  const auto refused = [&](int sequence, auto spoil) {
    engine::SequenceChanges changes = tests::busy_changes(config, 3);
    spoil(changes);
    const auto done = backend->intervene(sequence, changes);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().kind == engine::ErrorKind::input);
  };
  refused(2, [](auto&) {});
  refused(1, [](auto& c) { c.heads.pop_back(); });
  refused(1, [&](auto& c) { c.pairs[3].source = config.angles(); });
  refused(1, [&](auto& c) { c.cells[0].channel = config.d_state; });
  step_through(*backend, config.vocab_size, 0, 2);
  CHECK(same_bits(picture_of(*backend, config, 0), picture_of(*backend, config, 1)));
}
