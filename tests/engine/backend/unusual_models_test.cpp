// From the file to the logits for shapes that no golden file has: the loader finds the same weights again, and fp32
// agrees with double.
#include "tests/support/unusual_models.h"

#include "engine/formats/safetensors.h"
#include "engine/model/model.h"
#include "engine/verify/golden.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

TEST_CASE("unusual models: the cpu backend agrees with the reference through the official layout") {
  const tests::TemporaryFolder folder;
  for (const tests::UnusualModel& unusual : tests::unusual_models()) {
    CAPTURE(unusual.name);
    const engine::Weights weights = tests::weights_of(unusual, 3);
    const std::filesystem::path path = folder.path() / unusual.name;
    tests::write_model(path, weights);
    tests::write_golden(path, weights, 24, 5);
    const auto model = engine::load_model(path.string(), {unusual.config.a_activation});
    REQUIRE(model.has_value());
    CHECK((*model)->weights.parameters == weights.parameters);
    const auto golden = engine::read_safetensors((path / "golden.safetensors").string());
    REQUIRE(golden.has_value());

    // The same arithmetic on the same weights: what differs is the rounding of the file to fp32.
    auto reference = engine::make_backend((*model)->weights, {engine::BackendChoice::reference, 1, 1});
    REQUIRE(reference.has_value());
    const auto exact = engine::compare_with_golden(**reference, (*model)->config(), *golden);
    REQUIRE(exact.has_value());
    CHECK(exact->logits.max_rel < 1e-7);
    CHECK(exact->pass(2e-7));

    auto cpu = engine::make_backend((*model)->weights, {engine::BackendChoice::cpu, 2, 2});
    REQUIRE(cpu.has_value());
    const auto close = engine::compare_with_golden(**cpu, (*model)->config(), *golden, 1);
    REQUIRE(close.has_value());
    // Where the drive is 20 or 40, so are the inputs of dt, and so is their rounding: it adds up in the angles.
    const double scale = unusual.drive > 4 ? 10 : 1;
    CHECK(close->pass(1e-4 * scale));  // measured: 3e-5, and 4e-4 where driven hard
    CHECK(close->logits.max_rel < 1e-5 * scale);

    // The drive does what it is for: whole turns, not a barely moving angle.
    engine::SequenceState state;
    const int layers[] = {0};
    REQUIRE((*cpu)->read_state(1, layers, false, state).has_value());
    std::int64_t turns = 0;
    for (const std::int32_t t : state.layers[0].turns) turns += t < 0 ? -t : t;
    CHECK(turns > 0);
  }
}

TEST_CASE("unusual models: a fixed lambda reaches both backends") {
  tests::UnusualModel unusual = tests::unusual_models().front();
  std::vector<float> logits[2];
  for (const double lambda : {1.0, 0.5}) {
    unusual.config.lambda_override = lambda;
    const engine::Weights weights = tests::weights_of(unusual, 3);
    int which = 0;
    for (const auto choice : {engine::BackendChoice::reference, engine::BackendChoice::cpu}) {
      auto backend = engine::make_backend(weights, {choice, 1, 1});
      REQUIRE(backend.has_value());
      for (const std::int32_t id : {1, 2, 3}) REQUIRE((*backend)->step(std::span(&id, 1), nullptr).has_value());
      engine::StepCoefficients coefficients;
      REQUIRE((*backend)->read_coefficients(0, coefficients).has_value());
      for (std::size_t i = 0; i < coefficients.lambda.size(); ++i) {
        CHECK(coefficients.lambda[i] == static_cast<float>(lambda));
        CHECK((coefficients.beta[i] == 0) == (lambda == 1.0));  // Euler: nothing of the previous token
        CHECK(coefficients.gamma[i] == doctest::Approx(lambda * coefficients.dt[i]));
      }
      logits[which].resize(static_cast<std::size_t>(unusual.config.padded_vocab()));
      REQUIRE((*backend)->read_logits(0, logits[which++]).has_value());
    }
    for (std::size_t i = 0; i < logits[0].size(); ++i)
      CHECK(logits[1][i] == doctest::Approx(logits[0][i]).epsilon(1e-3));
  }
}
