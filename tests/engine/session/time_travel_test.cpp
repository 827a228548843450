// Time travel on the host's backends: the same bits whichever way a token was reached, with and without interventions,
// within the budget, and soon enough.
#include "engine/model/random_weights.h"
#include "engine/session/history.h"
#include "tests/engine/session/session_support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

using namespace engine;

namespace {

std::shared_ptr<const Model> builtin(const char* name) {
  auto model = load_model(name);
  REQUIRE(model.has_value());
  return *model;
}

std::shared_ptr<const Model> random_mimo() {
  ModelConfig config;
  config.d_model = 32;
  config.d_intermediate = 40;
  config.n_layer = 2;
  config.vocab_size = 29;
  config.d_state = 16;
  config.headdim = 16;
  config.is_mimo = true;
  config.mimo_rank = 2;
  auto weights = make_random_weights(config, kernels::DType::bf16, 3);
  REQUIRE(weights.has_value());
  auto model = std::make_shared<Model>();
  model->weights = std::move(*weights);
  return model;
}

std::unique_ptr<Session> open(const std::shared_ptr<const Model>& model, SessionOptions options) {
  options.backend.choice = BackendChoice::cpu;
  options.backend.threads = 1;
  auto opened = Session::open(model, options);
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

std::shared_ptr<const Snapshot> after(Session& session, const Command& command) {
  session.post(command);
  session.wait_idle();
  REQUIRE_FALSE(session.snapshot()->error);
  return session.snapshot();
}

// For all tokens, for some in the middle, and a cell for one.
std::vector<Intervention> some_interventions() {
  Intervention lambda, turns, cell;
  lambda.quantity = Quantity::lambda;
  lambda.operation = Operation::set;
  lambda.value = 1;
  lambda.heads = {0, 1};
  turns.quantity = Quantity::rotation;
  turns.value = 0.5;
  turns.tokens = {250, 600};
  cell.quantity = Quantity::state;
  cell.operation = Operation::add;
  cell.value = 0.25;
  cell.layers = {0, 1};
  cell.heads = {0, 1};
  cell.row = 1;
  cell.channel = 2;
  cell.tokens = {700, 701};
  return {lambda, turns, cell};
}

std::size_t different_records(const Snapshot& a, const Snapshot& b) {
  if (a.tokens.size() != b.tokens.size()) return a.tokens.size() + b.tokens.size();
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.tokens.size(); ++i) count += same_bits(*a.tokens[i], *b.tokens[i]) ? 0 : 1;
  return count;
}

}  // namespace

TEST_CASE("1,000 tokens forward, 700 back, forward again: the same bits everywhere, with and without interventions") {
  for (const auto& model : {builtin("parity"), random_mimo()}) {
    for (const bool changed : {false, true}) {
      CAPTURE(model->name);
      CAPTURE(changed);
      const auto session = open(model, sampling_options());
      session->post(warm_sampler());
      if (changed) {
        REQUIRE(after(*session, command::Intervene{some_interventions()})->notice.empty());
      }
      const auto first = after(*session, command::Step{1000});
      REQUIRE(first->tokens.size() == 1000);
      if (changed) CHECK(first->interventions.size() == 3);
      CHECK(after(*session, command::Seek{300})->tokens.size() == 300);
      // By stepping, which makes every record anew.
      const auto again = after(*session, command::Step{700});
      CHECK(different_records(*first, *again) == 0);
      CHECK(holds_state(*again->tokens[999]));
      // Back, and forward by restoring: what follows has the bits of what followed.
      after(*session, command::Seek{650});
      after(*session, command::Seek{980});
      CHECK(different_records(*first, *after(*session, command::Step{20})) == 0);
    }
  }
}

TEST_CASE("interventions that come later change nothing before them, and taking them back brings everything back") {
  const auto session = open(builtin("parity"), sampling_options());
  const auto first = after(*session, command::Step{800});
  const auto changed = after(*session, command::Intervene{{some_interventions()[1]}});
  REQUIRE(changed->tokens.size() == 800);
  for (std::size_t i = 0; i < 250; ++i) CHECK(same_bits(*changed->tokens[i], *first->tokens[i]));
  CHECK_FALSE(same_bits(*changed->tokens[260]->state, *first->tokens[260]->state));
  CHECK(different_records(*first, *after(*session, command::Undo{})) == 0);
  CHECK(different_records(*changed, *after(*session, command::Redo{})) == 0);
  CHECK(different_records(*first, *after(*session, command::Intervene{})) == 0);
}

TEST_CASE("5,000 tokens within a small budget, and any of them is reached again with the same bits") {
  const auto model = builtin("parity");
  constexpr std::uint64_t budget = std::uint64_t{8} << 20;
  SessionOptions small = sampling_options();
  small.history_budget_bytes = budget;
  const auto whole = open(model, sampling_options()), tight = open(model, small);
  const auto truth = after(*whole, command::Step{5000});
  const auto stepped = after(*tight, command::Step{5000});
  CHECK(stepped->history_bytes <= budget);
  CHECK(stepped->states_dropped > 1000);
  CHECK(truth->history_bytes > 2 * budget);
  std::mt19937 random(5);
  for (int i = 0; i < 40; ++i) {
    const auto target = static_cast<std::int64_t>(1 + random() % 5000);
    CAPTURE(target);
    const auto there = after(*tight, command::Seek{target});
    REQUIRE(there->tokens.size() == static_cast<std::size_t>(target));
    CHECK(there->history_bytes <= budget);
    CHECK(same_bits(*there->tokens.back(), *truth->tokens[static_cast<std::size_t>(target - 1)]));
  }
  // A branch of them, and edits that can be undone, are within it too.
  after(*tight, command::Seek{5000});
  const auto edited = after(*tight, command::EditToken{2500, truth->tokens[2500]->id == 0 ? 1 : 0});
  CHECK(edited->tokens.size() == 5000);
  CHECK(edited->history_bytes <= budget);
}

TEST_CASE("dropped records are told once") {
  SessionOptions small = sampling_options();
  small.history_budget_bytes = std::uint64_t{1} << 20;
  const auto session = open(builtin("parity"), small);
  CHECK(after(*session, command::Step{5})->notice.empty());
  const auto dropped = after(*session, command::Step{1000});
  CHECK(dropped->states_dropped > 0);
  CHECK(dropped->notice.find("history") != std::string::npos);
  const auto more = after(*session, command::HistoryBudget{std::uint64_t{64} << 20});
  CHECK(more->history_budget_bytes == std::uint64_t{64} << 20);
  CHECK(more->notice.empty());
  CHECK(after(*session, command::HistoryBudget{1 << 16})->history_bytes < std::uint64_t{1} << 20);
}

// A measurement, for --no-skip.
TEST_CASE("the worst seek of every built-in model among 2,000 tokens" * doctest::skip()) {
  std::vector<std::string> names = builtin_models();
  double worst_of_all = 0;
  for (const std::string& name : names) {
    const auto session = open(builtin(name.c_str()), sampling_options());
    const auto snapshot = after(*session, command::Step{2000});
    double worst = 0;
    std::mt19937 random(11);
    for (int i = 0; i < 60; ++i) {
      const auto target = static_cast<std::int64_t>(1 + random() % 2000);
      const auto start = std::chrono::steady_clock::now();
      after(*session, command::Seek{target});
      const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
      worst = std::max(worst, spent.count());
    }
    MESSAGE(name << ": worst of 60 seeks " << worst << " ms, history "
                 << static_cast<double>(snapshot->history_bytes) / (1 << 20) << " MiB");
    worst_of_all = std::max(worst_of_all, worst);
  }
  CHECK(worst_of_all < 50);
}
