// A backend's own fp32 state, un-rotated, against the paper's complex recurrence computed directly in double from the
// coefficients and un-rotated keys of each step.
#include "engine/analysis/head_input.h"
#include "engine/analysis/rotation.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <vector>

using namespace engine;

TEST_CASE("500 tokens: the un-rotated state of a backend is the directly computed complex recurrence, SISO and MIMO") {
  for (const tests::UnusualModel& unusual : tests::unusual_models()) {
    if (unusual.config.headdim * unusual.config.d_state > 64 * 64) continue;  // time
    CAPTURE(unusual.name);
    const Weights weights = tests::weights_of(unusual, 3);
    const ModelConfig& config = weights.config;
    auto backend = make_backend(weights, {BackendChoice::cpu, 1, 1});
    REQUIRE(backend.has_value());
    std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
    std::iota(layers.begin(), layers.end(), 0);
    const int pairs = config.d_state / 2, rows = config.headdim, heads = config.heads();
    const std::size_t head_cells = static_cast<std::size_t>(rows) * pairs;
    // z and the inputs u of the token before and of this one, (L, H, P, N / 2).
    std::vector<Complex> z(head_cells * heads * layers.size()), before(z.size()), now(z.size());
    StepCoefficients step;
    SequenceState state;
    double worst = 0, largest = 0;
    for (int t = 0; t < 500; ++t) {
      const std::int32_t ids[] = {(t * 29 + 3) % config.vocab_size};
      REQUIRE((*backend)->step(ids, nullptr).has_value());
      REQUIRE((*backend)->read_coefficients(0, step).has_value());
      REQUIRE((*backend)->read_state(0, layers, true, state).has_value());
      for (const int l : layers) {
        const LayerState& layer = state.layers[static_cast<std::size_t>(l)];
        for (int h = 0; h < heads; ++h) {
          const std::size_t of = static_cast<std::size_t>(l) * heads + h;
          std::vector<std::vector<Complex>> keys;
          for (int r = 0; r < config.rank(); ++r)
            keys.push_back(complex_key(config, layer, h, r, StateFrame::unrotated));
          HeadInput input;
          input.read(config, weights.layers[static_cast<std::size_t>(l)], h, layer);
          const std::vector<Complex> own = complex_state(config, layer, h, StateFrame::unrotated);
          for (int i = 0; i < pairs; ++i) {
            const Complex turn = std::polar(1.0, -phase_increment(config, step, l, h, i));
            for (int p = 0; p < rows; ++p) {
              const std::size_t in_head = static_cast<std::size_t>(p) * pairs + i, at = of * head_cells + in_head;
              now[at] = 0;
              for (int r = 0; r < config.rank(); ++r)
                now[at] += input.v[static_cast<std::size_t>(r) * rows + p] *
                           keys[static_cast<std::size_t>(r)][static_cast<std::size_t>(i)];
              z[at] = static_cast<double>(step.alpha[of]) * turn * z[at] +
                      static_cast<double>(step.beta[of]) * turn * before[at] +
                      static_cast<double>(step.gamma[of]) * now[at];
              worst = std::max(worst, std::abs(own[in_head] - z[at]));
              largest = std::max(largest, std::abs(z[at]));
            }
          }
        }
      }
      std::swap(before, now);
    }
    CHECK(largest > 1e-3);
    CHECK(worst < 1e-4 * largest);
  }
}
