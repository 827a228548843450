// Sessions on the real backends of the host: back and forward again gives the same bits in every state tensor, whatever
// is recorded; what the records say about rotation agrees with the states.
#include "engine/analysis/series.h"
#include "engine/model/random_weights.h"
#include "tests/engine/session/session_support.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace engine;

namespace {

std::shared_ptr<const Model> random_model(bool is_mimo) {
  ModelConfig config;
  config.d_model = 32;
  config.d_intermediate = 40;
  config.n_layer = 3;
  config.vocab_size = 29;
  config.d_state = 16;
  config.headdim = 16;
  config.is_mimo = is_mimo;
  config.mimo_rank = 2;
  auto weights = make_random_weights(config, kernels::DType::bf16, 3);
  REQUIRE(weights.has_value());
  auto model = std::make_shared<Model>();
  model->weights = std::move(*weights);
  return model;
}

std::unique_ptr<Session> open(const std::shared_ptr<const Model>& model, SessionOptions options, BackendChoice choice) {
  options.backend.choice = choice;
  options.backend.threads = 2;
  auto opened = Session::open(model, options);
  REQUIRE(opened.has_value());
  (*opened)->post(warm_sampler());
  (*opened)->post(command::Prompt{{5, 6, 7}});
  return std::move(*opened);
}

std::shared_ptr<const Snapshot> after(Session& session, const Command& command) {
  session.post(command);
  session.wait_idle();
  REQUIRE_FALSE(session.snapshot()->error);
  return session.snapshot();
}

}  // namespace

TEST_CASE("300 tokens forward, 200 back, forward again: the same bits everywhere") {
  for (const bool is_mimo : {false, true}) {
    const auto model = random_model(is_mimo);
    for (const BackendChoice choice : {BackendChoice::cpu, BackendChoice::reference}) {
      CAPTURE(is_mimo);
      CAPTURE(static_cast<int>(choice));
      const auto session = open(model, sampling_options(), choice);
      const auto first = after(*session, command::Step{300});
      REQUIRE(first->tokens.size() == 300);
      const auto back = after(*session, command::Seek{100});
      CHECK(back->tokens.size() == 100);
      const auto again = after(*session, command::Step{200});
      REQUIRE(again->tokens.size() == 300);
      bool same = true;
      for (std::size_t i = 0; i < 300; ++i) same = same && same_bits(*first->tokens[i], *again->tokens[i]);
      CHECK(same);
      CHECK(holds_state(first->tokens[299]->state->layers[2]));
    }
  }
}

TEST_CASE("replay from sparse keyframes and from none gives the same bits") {
  const auto model = random_model(false);
  const auto whole = open(model, sampling_options(), BackendChoice::cpu);
  const auto truth = after(*whole, command::Step{120});
  SessionOptions sparse = sampling_options(), none = sampling_options();
  sparse.record_state_bytes = 0;
  none.record_state_bytes = 0;
  none.history_budget_bytes = 0;
  for (const SessionOptions& options : {sparse, none}) {
    const auto session = open(model, options, BackendChoice::cpu);
    after(*session, command::Step{120});
    for (const std::int64_t target : {119, 64, 33, 1}) {
      CAPTURE(target);
      const auto back = after(*session, command::Seek{target});
      REQUIRE(back->tokens.size() == static_cast<std::size_t>(target));
      const TokenRecord& record = *back->tokens.back();
      const TokenRecord& expected = *truth->tokens[static_cast<std::size_t>(target - 1)];
      CHECK(same_bits(record.state->layers[0], expected.state->layers[0]));  // watched
      CHECK(same_bits(record.state->layers[2].k, expected.state->layers[2].k));
      CHECK(same_bits(record.error_unrotated, expected.error_unrotated));
      CHECK(same_bits(record.top, expected.top));
      CHECK(record.state->layers[2].ssm.empty());
    }
  }
}

TEST_CASE(
    "phases in the states advance by the increments of the coefficients, and the complex state obeys its recurrence") {
  for (const bool is_mimo : {false, true}) {
    const auto model = random_model(is_mimo);
    const ModelConfig& config = model->config();
    const auto session = open(model, sampling_options(), BackendChoice::reference);
    const auto snapshot = after(*session, command::Step{60});
    double worst_phase = 0, worst_state = 0, largest_state = 0;
    for (int head = 0; head < config.heads(); ++head) {
      for (int pair = 0; pair < config.d_state / 2; ++pair) {
        const auto phase = phase_series(snapshot->tokens, config, 1, head, pair);
        const auto increment = increment_series(snapshot->tokens, config, 1, head, pair);
        const auto z = trail(snapshot->tokens, config, 1, head, 3, pair, StateFrame::unrotated);
        const auto series = head_series(snapshot->tokens, config, 1, head);
        for (std::size_t t = 1; t < 60; ++t) {
          worst_phase = std::max(worst_phase, std::abs(phase[t] - phase[t - 1] - increment[t]));
          const auto input = [&](std::size_t at) {
            const LayerState& layer = snapshot->tokens[at]->state->layers[1];
            Complex u = 0;
            for (int r = 0; r < config.rank(); ++r) {
              const std::size_t mix = (static_cast<std::size_t>(head) * config.rank() + r) * config.headdim + 3;
              const double v = layer.v[static_cast<std::size_t>(head) * config.headdim + 3] *
                               (is_mimo ? static_cast<double>(model->weights.layers[1].mimo_x[mix]) : 1.0);
              u += v * complex_key(config, layer, head, r, StateFrame::unrotated)[static_cast<std::size_t>(pair)];
            }
            return u;
          };
          const Complex turn = std::polar(1.0, -increment[t]);
          const Complex expected =
              turn * (series.alpha[t] * z[t - 1] + series.beta[t] * input(t - 1)) + series.gamma[t] * input(t);
          worst_state = std::max(worst_state, std::abs(z[t] - expected));
          largest_state = std::max(largest_state, std::abs(z[t]));
        }
      }
    }
    CHECK(worst_phase < 2e-6);
    CHECK(largest_state > 1e-3);
    CHECK(worst_state < 2e-6 * (1 + largest_state));
  }
}

TEST_CASE("a built-in parity model, stepped by a session, answers with the truth") {
  const auto model = load_model("parity");
  REQUIRE(model.has_value());
  SessionOptions options;
  options.backend.choice = BackendChoice::cpu;
  auto session = Session::open(*model, options);
  REQUIRE(session.has_value());
  const auto snapshot = after(**session, command::Step{128});
  int right = 0;
  for (const auto& record : snapshot->tokens) right += record->predicted == record->truth ? 1 : 0;
  CHECK(right >= 127);
}

TEST_CASE(
    "tiles of the whole state are those of the newest token, once asked for, and go when it is stepped back over") {
  const auto model = random_model(false);
  const ModelConfig& config = model->config();
  SessionOptions options = sampling_options();
  options.record_state_bytes = 0;
  const auto session = open(model, options, BackendChoice::cpu);
  CHECK(after(*session, command::Tiles{8, 16})->tiles == nullptr);  // before the first token
  CHECK(after(*session, command::Step{5})->tiles == nullptr);
  const auto asked = after(*session, command::Tiles{8, 1000});
  REQUIRE(asked->tiles != nullptr);
  CHECK(asked->tokens.size() == 5);
  CHECK(asked->mode == SessionMode::idle);
  CHECK(asked->tiles->position == 5);
  CHECK(asked->tiles->rows == 8);
  CHECK(asked->tiles->columns == config.d_state);
  CHECK(asked->tiles->tiles.size() == static_cast<std::size_t>(3 * config.heads() * 8 * config.d_state));
  // The norms that the step itself left say the same: the squares of a head's blocks add up to them.
  const float norm = asked->tokens.back()->coefficients.state_norm.front();
  double squares = 0;
  for (int i = 0; i < 8 * config.d_state; ++i) {
    const double rms = static_cast<double>(asked->tiles->tiles[static_cast<std::size_t>(i)].rms);
    squares += rms * rms * config.headdim / 8;
  }
  CHECK(std::sqrt(squares) == doctest::Approx(static_cast<double>(norm)).epsilon(1e-5));
  CHECK(after(*session, command::Step{1})->tiles == asked->tiles);  // nobody asked again
  CHECK(after(*session, command::Seek{3})->tiles == nullptr);
}
