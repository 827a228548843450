#include "engine/analysis/series.h"

#include "tests/engine/session/session_support.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

using namespace engine;

TEST_CASE("series of a head follow its records") {
  const FakeSession s;
  s.post(command::Prompt{{1, 2, 3, 4}});
  const auto snapshot = s.after(command::Step{12});
  const TokenList& tokens = snapshot->tokens;
  const ModelConfig& config = snapshot->model->config();  // 3 layers, 2 heads, N 8, 2 angles
  const HeadSeries head = head_series(tokens, config, 2, 1);
  REQUIRE(head.size() == 12);
  CHECK(head.position[7] == 7);
  CHECK(head.dt[3] == 0.5);
  CHECK(head.a[3] == -0.5);
  CHECK(head.half_life[3] == doctest::Approx(1));  // alpha 1/2
  CHECK(head.euler_stored[5] == tokens[5]->error_stored[5].euler);
  CHECK(head.model_unrotated[5] == tokens[5]->error_unrotated[5].model);
  CHECK(head_series(tokens, config, 2, 1, {10, 99}).size() == 2);
  CHECK(head_series(tokens, config, 2, 1, newest_tokens(tokens, 5)).position.front() == 7);
  CHECK(newest_tokens(tokens, 50).first == 0);

  const auto predictions = prediction_series(tokens);
  CHECK(std::isnan(predictions.kl_bits[0]));
  CHECK(predictions.kl_bits[4] == tokens[4]->kl_bits);
  CHECK(std::isnan(predictions.probability[0]));

  const auto phase = phase_series(tokens, config, 2, 1, 1);
  const auto increments = increment_series(tokens, config, 2, 1, 1);
  CHECK(increments[4] == doctest::Approx(0.3));
  CHECK(phase[3] == doctest::Approx(0.3 * (2 + 3 + 4 + 5)).epsilon(1e-5));
  CHECK(phase_series(tokens, config, 2, 1, 3)[3] == 0);

  const auto z = trail(tokens, config, 2, 1, 4, 1, StateFrame::unrotated);
  const auto stored = trail(tokens, config, 2, 1, 4, 1, StateFrame::stored);
  for (std::size_t t = 0; t < 12; ++t) {
    const auto row = complex_row(config, tokens[t]->state->layers[2], 1, 4, StateFrame::unrotated);
    CHECK(std::abs(z[t] - row[1]) < 1e-6);
    CHECK(std::abs(z[t]) == doctest::Approx(std::abs(stored[t])));
  }

  const Raster phases = phase_raster(tokens, config, 2, 1);
  REQUIRE(phases.values.size() == 12 * 4);
  CHECK(phases.pairs == 4);
  for (const float value : phases.values) CHECK((value >= 0 && value < 2 * std::numbers::pi_v<float> + 1e-6F));
  CHECK(phases.values[3 * 4 + 1] == doctest::Approx(std::fmod(phase[3], 2 * std::numbers::pi)).epsilon(1e-5));
  CHECK(increment_raster(tokens, config, 2, 1).values[2 * 4 + 1] == doctest::Approx(0.3));

  const Raster row = magnitude_raster(tokens, config, 2, 1, 4), all = magnitude_raster(tokens, config, 2, 1, -1);
  CHECK(row.values[6 * 4 + 1] == doctest::Approx(std::abs(z[6])));
  double sum = 0;
  for (int p = 0; p < config.headdim; ++p) {
    const float one = magnitude_raster(tokens, config, 2, 1, p).values[6 * 4 + 1];
    sum += static_cast<double>(one) * one;
  }
  CHECK(all.values[6 * 4 + 1] == doctest::Approx(std::sqrt(sum)));
}

TEST_CASE("series of nothing are empty, of stripped records not a number") {
  const ModelConfig config = fake_model()->config();
  CHECK(head_series({}, config, 0, 0).size() == 0);
  CHECK(phase_raster({}, config, 0, 0).values.empty());
  TokenList tokens;
  auto bare = std::make_shared<TokenRecord>();
  auto none = std::make_shared<SequenceState>();
  none->layers.resize(3);
  bare->state = none;
  tokens.push_back(bare);
  CHECK(std::isnan(head_series(tokens, config, 1, 1).half_life[0]));
  CHECK(std::isnan(head_series(tokens, config, 1, 1).euler_stored[0]));
  CHECK(std::isnan(phase_series(tokens, config, 1, 1, 0)[0]));
  CHECK(std::isnan(trail(tokens, config, 1, 1, 0, 0, StateFrame::unrotated)[0].real()));
  CHECK(std::isnan(magnitude_raster(tokens, config, 1, 1, 0).values[0]));
}
