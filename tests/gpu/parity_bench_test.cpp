// The parity bench on a device: every variant and its prefill pass, bit for bit twice, and a sign that is turned in one of
// them alone is found in its layer and tensor, and in no other candidate.
#include "engine/verify/parity_bench.h"

#include "engine/verify/planted_error.h"
#include "engine/verify/twin.h"
#include "tests/gpu/device.h"
#include "tests/gpu/open_backend.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using engine::ParityRow;
using engine::ParityTensor;

std::vector<std::int32_t> text_of(const engine::Weights& weights, int tokens) {
  std::vector<std::int32_t> ids;
  for (int t = 0; t < tokens; ++t) ids.push_back(engine::twin_token(weights.config.vocab_size, t, 0));
  return ids;
}

engine::ParityReport bench(const engine::Weights& weights, const std::vector<engine::ParityCandidate>& candidates) {
  auto report = engine::run_parity_bench(weights, text_of(weights, gpu_test::small() ? 20 : 150), candidates, {}, {});
  const std::string message = report ? std::string() : report.error().message;
  CAPTURE(message);
  REQUIRE(report.has_value());
  return std::move(*report);
}

}  // namespace

TEST_CASE("gpu parity bench: staged, fused, a bf16 state and the prefill of both pass on SISO and MIMO") {
  for (const int rank : {1, 4}) {
    CAPTURE(rank);
    const engine::Weights weights = gpu_test::small_weights(rank, 101);
    const engine::ParityReport report = bench(weights, engine::parity_candidates(weights, 2));
    int cuda = 0;
    for (const ParityRow& row : report.rows) {
      CAPTURE(row.name);
      CAPTURE(row.message);
      CHECK(row.outcome == ParityRow::Outcome::measured);
      const std::string begins = row.begins() == nullptr ? std::string() : engine::describe(*row.begins());
      CAPTURE(begins);
      CHECK(row.pass());
      CAPTURE(row.first_unequal);
      CHECK(row.repeatable);
      if (row.name.rfind("cuda", 0) != 0) continue;
      ++cuda;
      CHECK(row.chunked == row.prefill);
      CHECK(ParityRow::not_finite(row.text) == 0);
      CHECK(row.judged_text == (row.name.find("bf16") == std::string::npos));
      for (const engine::ParityCell& cell : row.step) CHECK(cell.values > 0);
    }
    CHECK(cuda == 5);
    CHECK(report.pass());
  }
}

TEST_CASE("gpu parity bench: a sign that is turned in the fused candidate alone is found where it is") {
  const engine::Weights weights = gpu_test::small_weights(4, 101);
  const struct {
    const char* where;
    int layer;
    ParityTensor tensor;
  } plants[] = {{"layers.1.mixer.B_bias[70]", 1, ParityTensor::k},
                {"layers.0.mixer.D[1]", 0, ParityTensor::mixer},
                {"layers.1.mixer.dt_bias[2]", 1, ParityTensor::dt},
                {"layers.0.mixer.mimo_x[40]", 0, ParityTensor::ssm},
                {"layers.1.mlp.fc2.weight[300]", 1, ParityTensor::mlp}};
  for (const auto& plant : plants) {
    CAPTURE(plant.where);
    const auto error = engine::parse_planted_error(plant.where);
    REQUIRE(error.has_value());
    const auto wrong = engine::plant(weights, *error);
    REQUIRE(wrong.has_value());
    const auto candidate = [](const char* name, const engine::Weights& of, engine::Variant variant) {
      engine::BackendOptions options;
      options.choice = engine::BackendChoice::cuda;
      options.variant = variant;
      return engine::ParityCandidate{name, false, "", [&of, options] { return engine::make_backend(of, options); }};
    };
    const engine::ParityReport report = bench(weights, {candidate("staged", weights, engine::Variant::staged),
                                                        candidate("fused", **wrong, engine::Variant::fused)});
    CHECK(report.rows[0].pass());
    const ParityRow& fused = report.rows[1];
    CHECK_FALSE(fused.pass());
    REQUIRE(fused.begins() != nullptr);
    CHECK(fused.begins_in_step());
    CHECK(fused.begins()->layer == plant.layer);
    CHECK(fused.begins()->tensor == plant.tensor);
    CHECK(fused.repeatable);
  }
}
