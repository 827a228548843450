// A prefill leaves what steps leave: on the reference backend in the chunked form, in double, for every shape and division of
// a text; on the cpu backend step by step.
#include "engine/backend/backend.h"
#include "engine/bench/prefilling.h"
#include "engine/verify/twin.h"
#include "tests/support/intervention_cases.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using engine::BackendChoice;

namespace {

constexpr int batch = 2, tokens = 90;

std::unique_ptr<engine::Backend> open(const engine::Weights& weights, BackendChoice choice, bool errors = false) {
  engine::BackendOptions options;
  options.choice = choice;
  options.batch = batch;
  options.threads = 2;
  options.errors = errors;
  auto backend = engine::make_backend(weights, options);
  REQUIRE(backend.has_value());
  return std::move(*backend);
}

std::vector<std::int32_t> text(const engine::ModelConfig& config) {
  std::vector<std::int32_t> ids;
  for (int t = 0; t < tokens; ++t) {
    for (int b = 0; b < batch; ++b) ids.push_back(engine::twin_token(config.vocab_size, t, b));
  }
  return ids;
}

void step_all(engine::Backend& backend, const std::vector<std::int32_t>& ids) {
  for (std::size_t t = 0; t < ids.size(); t += batch) {
    REQUIRE(backend.step({ids.data() + t, batch}, nullptr).has_value());
  }
}

void prefill_in(engine::Backend& backend, const std::vector<std::int32_t>& ids, std::size_t piece) {
  const std::span<const std::int32_t> all = ids;
  for (std::size_t t = 0; t < ids.size(); t += piece * batch) {
    REQUIRE(backend.prefill(all.subspan(t, std::min(piece * batch, ids.size() - t)), nullptr).has_value());
  }
}

double difference(engine::Backend& found, engine::Backend& expected, const engine::ModelConfig& config) {
  CHECK(found.position() == expected.position());
  double worst = 0;
  for (int b = 0; b < batch; ++b) {
    const auto one = engine::outcome_of_text(found, config, b), other = engine::outcome_of_text(expected, config, b);
    REQUIRE(one.has_value());
    REQUIRE(other.has_value());
    const auto off = engine::difference_of(*one, *other);
    INFO(off.where);
    worst = std::max(worst, off.worst);
  }
  return worst;
}

}  // namespace

TEST_CASE("prefill: in double, the chunked form and steps agree to the last bits of fp32, and steps go on from it") {
  for (const tests::UnusualModel& unusual : tests::unusual_models()) {
    CAPTURE(unusual.name);
    const engine::Weights weights = tests::weights_of(unusual, 3);
    const std::vector<std::int32_t> ids = text(unusual.config);
    const auto stepped = open(weights, BackendChoice::reference);
    step_all(*stepped, ids);
    const auto prefilled = open(weights, BackendChoice::reference);
    CHECK(prefilled->info().chunked_prefill);
    for (const std::size_t piece : {std::size_t{tokens}, std::size_t{41}, std::size_t{7}}) {
      CAPTURE(piece);
      REQUIRE(prefilled->reset().has_value());
      prefill_in(*prefilled, ids, piece);
      CHECK(difference(*prefilled, *stepped, unusual.config) < 1e-6);  // what is read is rounded to fp32
    }
    const std::span<const std::int32_t> next = std::span(ids).first(batch);
    REQUIRE(prefilled->step(next, nullptr).has_value());
    REQUIRE(stepped->step(next, nullptr).has_value());
    CHECK(difference(*prefilled, *stepped, unusual.config) < 1e-6);
  }
}

TEST_CASE("prefill: the cpu backend steps, bit for bit, and says so") {
  const tests::UnusualModel unusual = tests::unusual_models().front();
  const engine::Weights weights = tests::weights_of(unusual, 3);
  const std::vector<std::int32_t> ids = text(unusual.config);
  const auto stepped = open(weights, BackendChoice::cpu), prefilled = open(weights, BackendChoice::cpu);
  CHECK_FALSE(prefilled->info().chunked_prefill);
  step_all(*stepped, ids);
  prefill_in(*prefilled, ids, tokens);
  CHECK(difference(*prefilled, *stepped, unusual.config) == 0);
}

TEST_CASE("prefill: while steps are changed, all of them are steps; the errors are the last token's") {
  const tests::UnusualModel unusual = tests::unusual_models().front();
  const engine::Weights weights = tests::weights_of(unusual, 3);
  const std::vector<std::int32_t> ids = text(unusual.config);
  engine::SequenceChanges changes;
  changes.heads = engine::neutral_heads(unusual.config, unusual.config.n_layer);
  changes.heads.front().dt.scale = 0.5;
  const auto stepped = open(weights, BackendChoice::reference, true);
  const auto prefilled = open(weights, BackendChoice::reference, true);
  for (const bool changed : {false, true}) {
    CAPTURE(changed);
    for (engine::Backend* backend : {stepped.get(), prefilled.get()}) {
      REQUIRE(backend->reset().has_value());
      if (changed) REQUIRE(backend->intervene(1, changes).has_value());
    }
    step_all(*stepped, ids);
    prefill_in(*prefilled, ids, tokens);
    const double worst = difference(*prefilled, *stepped, unusual.config);
    CHECK(worst < (changed ? 1e-30 : 1e-6));
    engine::StepErrors found, expected;
    REQUIRE(prefilled->read_errors(0, found).has_value());
    REQUIRE(stepped->read_errors(0, expected).has_value());
    REQUIRE(found.stored.size() == expected.stored.size());
    for (std::size_t i = 0; i < found.stored.size(); ++i) {
      CHECK(found.stored[i].euler == doctest::Approx(expected.stored[i].euler).epsilon(1e-5));
    }
  }
}

TEST_CASE("prefill: wrong ids change nothing, progress is told, and a cancelled prefill says how far it came") {
  const tests::UnusualModel unusual = tests::unusual_models().front();
  const engine::Weights weights = tests::weights_of(unusual, 3);
  std::vector<std::int32_t> ids = text(unusual.config);
  const auto backend = open(weights, BackendChoice::reference);
  engine::PrefillProgress progress;
  REQUIRE(backend->prefill(ids, &progress).has_value());
  CHECK(progress.tokens == tokens);
  CHECK(backend->position() == tokens);
  REQUIRE(backend->prefill({}, nullptr).has_value());
  CHECK(backend->position() == tokens);

  progress.cancelled = true;
  const auto cancelled = backend->prefill(ids, &progress);
  REQUIRE_FALSE(cancelled.has_value());
  CHECK(cancelled.error().message == engine::prefill_cancelled);
  CHECK(backend->position() == tokens);

  ids.pop_back();
  CHECK_FALSE(backend->prefill(ids, nullptr).has_value());
  ids.push_back(unusual.config.vocab_size);
  CHECK_FALSE(backend->prefill(ids, nullptr).has_value());
  CHECK(backend->position() == tokens);
}
