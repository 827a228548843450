#include "engine/analysis/retention.h"

#include "tests/engine/analysis/synthetic.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace engine;

TEST_CASE("a token's weight: written twice by the trapezoid, then decaying") {
  const std::vector<HeadStep> steps = {{0.5, 7, 2}, {0.5, 3, 9}, {0.25, 9, 9}, {0.5, 9, 9}};
  const auto weights = contribution_weights(steps);
  REQUIRE(weights.size() == 4);
  CHECK(weights[0] == 2);  // what came before it does not count
  CHECK(weights[1] == 0.5 * 2 + 3);
  CHECK(weights[2] == 0.25 * 4);
  CHECK(weights[3] == 0.5);
  CHECK(contribution_weights({}).empty());
}

TEST_CASE("the weights are those of the recurrence: summed over all tokens, weight times input is the state") {
  for (const bool is_mimo : {false, true}) {
    SyntheticHead head(synthetic_config(is_mimo), 31);
    const ModelConfig& config = head.config;
    constexpr int tokens = 40;
    const std::size_t cells = static_cast<std::size_t>(config.headdim) * config.d_state;
    std::vector<HeadStep> steps;
    std::vector<std::vector<double>> inputs;  // of head 1, in the stored frame
    for (int t = 0; t < tokens; ++t) {
      head.step();
      const double alpha = std::exp(head.now.a[1] * head.now.dt[1]);
      const double gamma = head.now.lambda[1] * head.now.dt[1];
      steps.push_back({alpha, (1 - head.now.lambda[1]) * head.now.dt[1] * alpha, gamma});
      std::vector<double>& u = inputs.emplace_back(cells);
      for (int r = 0; r < config.rank(); ++r) {
        for (int p = 0; p < config.headdim; ++p) {
          for (int n = 0; n < config.d_state; ++n) {
            u[static_cast<std::size_t>(p * config.d_state + n)] +=
                head.value(head.now, 1, r, p) *
                head.rotated[(static_cast<std::size_t>(r) * config.heads() + 1) * config.d_state + n];
          }
        }
      }
    }
    std::vector<double> sum(cells);
    for (std::size_t t = 0; t < inputs.size(); ++t) {
      const double weight = contribution_weights(std::span(steps).subspan(t)).back();
      for (std::size_t i = 0; i < cells; ++i) sum[i] += weight * inputs[t][i];
    }
    double worst = 0;
    for (std::size_t i = 0; i < cells; ++i) worst = std::max(worst, std::abs(sum[i] - head.state[cells + i]));
    CAPTURE(is_mimo);
    CHECK(worst < 1e-10);
  }
}

TEST_CASE("half-life from the peak, between tokens") {
  CHECK(retention_half_life(std::vector<double>{1, 0.5, 0.25}) == doctest::Approx(1));
  CHECK(retention_half_life(std::vector<double>{0.2, 2, 1.5, 1.1, 0.9}) ==
        doctest::Approx(2 + std::log(1.1) / std::log(1.1 / 0.9)));
  CHECK(std::isinf(retention_half_life(std::vector<double>{1, 0.9, 0.8})));
  CHECK(retention_half_life(std::vector<double>{1, 0}) == 0);
  CHECK(std::isinf(retention_half_life(std::vector<double>{0, 0})));
  CHECK(std::isnan(retention_half_life({})));
  CHECK(std::isnan(retention_half_life(std::vector<double>{1, std::numeric_limits<double>::quiet_NaN()})));
}
