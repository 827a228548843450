// Backends that measure their own discretisation errors, over whole models, against the analysis of what they left.
#include "engine/verify/errors.h"

#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

using namespace engine;

namespace {

std::unique_ptr<Backend> open(const Weights& weights, BackendChoice choice, int batch, bool errors = true) {
  BackendOptions options;
  options.choice = choice;
  options.batch = batch;
  options.threads = 2;
  options.errors = errors;
  auto made = make_backend(weights, options);
  REQUIRE(made.has_value());
  return std::move(*made);
}

}  // namespace

TEST_CASE("errors of the steps of whole models are those of the analysis") {
  for (const tests::UnusualModel& model : tests::unusual_models()) {
    CAPTURE(model.name);
    const Weights weights = tests::weights_of(model, 4);
    const auto cpu = open(weights, BackendChoice::cpu, 3);
    CHECK(cpu->info().errors);
    const Stage& stage = *(cpu->plan().stages.end() - 3);  // before final_norm and head
    CHECK(stage.kind == StageKind::errors);
    CHECK(stage.cost.bytes() > 0);
    const auto report = verify_errors(*cpu, weights, 4);
    REQUIRE(report.has_value());
    CAPTURE(report->where);
    CHECK(report->values == static_cast<std::size_t>(2 * 4 * 6 * model.config.n_layer * model.config.heads()));
    CHECK(report->pass(1e-4));
  }
}

TEST_CASE("errors of the reference backend, whose keys are read back rounded to fp32") {
  const tests::UnusualModel model = tests::unusual_models()[6];
  const Weights weights = tests::weights_of(model, 4);
  const auto reference = open(weights, BackendChoice::reference, 1);
  const auto report = verify_errors(*reference, weights, 3);
  REQUIRE(report.has_value());
  CAPTURE(report->where);
  CHECK(report->pass(1e-3));
}

TEST_CASE("errors: measuring changes no other bit, restoring brings back the token before, reset forgets it") {
  const tests::UnusualModel model = tests::unusual_models()[0];
  const Weights weights = tests::weights_of(model, 9);
  const auto with = open(weights, BackendChoice::cpu, 1), without = open(weights, BackendChoice::cpu, 1, false);
  std::vector<int> layers(static_cast<std::size_t>(model.config.n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  SequenceState saved;
  StepErrors first, third;
  for (std::int32_t t = 0; t < 3; ++t) {
    const std::int32_t ids[] = {t + 1};
    REQUIRE(with->step(ids, nullptr).has_value());
    REQUIRE(without->step(ids, nullptr).has_value());
    if (t == 0) REQUIRE(with->read_errors(0, first).has_value());
    if (t == 1) REQUIRE(with->read_state(0, layers, true, saved).has_value());
  }
  REQUIRE(with->read_errors(0, third).has_value());
  std::vector<float> a(static_cast<std::size_t>(model.config.padded_vocab())), b(a.size());
  REQUIRE(with->read_logits(0, a).has_value());
  REQUIRE(without->read_logits(0, b).has_value());
  CHECK(a == b);
  CHECK_FALSE(without->read_errors(0, third).has_value());
  CHECK_FALSE(with->read_errors(1, third).has_value());

  const auto again = [&](std::int32_t id) {
    StepErrors found;
    const std::int32_t ids[] = {id};
    REQUIRE(with->step(ids, nullptr).has_value());
    REQUIRE(with->read_errors(0, found).has_value());
    return found;
  };
  const auto same = [](const StepErrors& x, const StepErrors& y) {
    ErrorsReport report;
    compare_errors(x, y, 1, 0, report);
    return report.worst == 0;
  };
  REQUIRE(with->restore(0, saved).has_value());
  CHECK(same(again(3), third));
  REQUIRE(with->reset().has_value());
  CHECK(same(again(1), first));
  CHECK_FALSE(same(again(1), first));
}

TEST_CASE("comparing errors: numbers, missing numbers, missing heads") {
  const StepErrors expected{{{0.5F, 0.25F, 0.125F}}, {{1, 1, 1}}};
  StepErrors found = expected;
  ErrorsReport report;
  compare_errors(found, expected, 1, 0, report);
  CHECK(report.worst == 0);
  CHECK(report.values == 6);
  found.unrotated[0].trapezoid = 1.001F;
  compare_errors(found, expected, 1, 7, report);
  CHECK(report.worst == doctest::Approx(1e-3).epsilon(1e-3));
  CHECK(report.where == "the trapezoid's error in the un-rotated frame, layer 0, head 0, token 7");
  found.stored[0].euler = std::nanf("");
  compare_errors(found, expected, 1, 7, report);
  CHECK(std::isinf(report.worst));
  ErrorsReport none;
  compare_errors({}, expected, 1, 0, none);
  CHECK_FALSE(none.pass(1e-4));
}
