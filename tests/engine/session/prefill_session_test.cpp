// Long prompts in a session: all but the last tokens are prefilled, and everything that works on stepped tokens works on
// them: going back, forks, edits, undo, interventions. The fake backend's prefill gives the bits of its steps.
#include "engine/model/random_weights.h"
#include "tests/engine/session/session_support.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace engine;

namespace {

constexpr int long_prompt = 1500;

std::vector<std::int32_t> prompt(int tokens = long_prompt) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < tokens; ++i) ids.push_back((i * i + i / 7) % 6);
  return ids;
}

SessionOptions with_last(int tokens) {
  SessionOptions options = sampling_options();
  options.step_last = tokens;
  return options;
}

std::shared_ptr<const Snapshot> read(const FakeSession& session, int tokens = long_prompt) {
  session.post(command::Prompt{prompt(tokens)});
  return session.after(command::Step{tokens});
}

}  // namespace

TEST_CASE("of a long prompt all but the last tokens are prefilled, and the last ones have the records of steps") {
  const FakeSession stepped(with_last(0)), prefilled(with_last(100));
  const auto a = read(stepped), b = read(prefilled);
  CHECK(stepped.counters->prefills == 0);
  CHECK(prefilled.counters->prefills == 3);  // 467, 467 and 466 tokens
  REQUIRE(b->tokens.size() == a->tokens.size());
  CHECK(ids_of(*b) == prompt());
  int skipped = 0;
  for (std::size_t i = 0; i < a->tokens.size(); ++i) {
    if (b->tokens[i]->skipped) {
      ++skipped;
      CHECK(b->tokens[i]->origin == TokenOrigin::given);
      CHECK(std::isnan(b->tokens[i]->entropy_bits));
      CHECK(b->tokens[i]->state->layers.size() == 3);  // of every view's expectation, and empty
    } else {
      CHECK(same_bits(*a->tokens[i], *b->tokens[i]));
    }
  }
  CHECK(skipped == 1400 - 3);  // the last token of each part is stepped
  CHECK(prefilled.counters->steps < 200 + 3);
}

TEST_CASE("a token that was prefilled gets its record when somebody goes there, and the way on has the same bits") {
  const FakeSession stepped(with_last(0)), prefilled(with_last(64));
  const auto whole = read(stepped);
  read(prefilled);
  for (const std::int64_t to : {700, 1, 513, 512, 2, 1499, 0, 1437, 1436, 511, 1500, 1024}) {
    CAPTURE(to);
    const auto there = prefilled.after(command::Seek{to});
    REQUIRE(there->tokens.size() == static_cast<std::size_t>(to));
    CHECK(there->furthest == long_prompt);
    if (to == 0) continue;
    const TokenRecord& record = *there->tokens.back();
    CHECK_FALSE(record.skipped);
    CHECK(same_bits(record, *whole->tokens[static_cast<std::size_t>(to) - 1]));
  }
  // On from the middle of what was prefilled, and behind the end.
  prefilled.after(command::Seek{300});
  const auto on = prefilled.after(command::Step{5});
  for (std::size_t i = 300; i < 305; ++i) CHECK(same_bits(*on->tokens[i], *whole->tokens[i]));
  prefilled.after(command::Seek{long_prompt});
  const auto a = stepped.after(command::Step{4}), b = prefilled.after(command::Step{4});
  for (std::size_t i = long_prompt; i < a->tokens.size(); ++i) CHECK(same_bits(*a->tokens[i], *b->tokens[i]));
}

TEST_CASE("branches, edits, undo and interventions work in the middle of what was prefilled") {
  const FakeSession stepped(with_last(0)), prefilled(with_last(64));
  read(stepped);
  read(prefilled);
  const auto both = [&](const Command& command) {
    const auto a = stepped.after(command), b = prefilled.after(command);
    REQUIRE(a->tokens.size() == b->tokens.size());
    CHECK(a->branch == b->branch);
    CHECK(ids_of(*a) == ids_of(*b));
    CHECK_FALSE(b->error);
    if (!a->tokens.empty()) CHECK(same_bits(*a->tokens.back(), *b->tokens.back()));
  };
  both(command::Fork{"", 600, {1, 2, 3}});
  both(command::Seek{603});
  both(command::EditToken{200, 5});
  both(command::Undo{});
  both(command::Redo{});
  Intervention rank;
  rank.quantity = Quantity::rank_write;
  rank.operation = Operation::scale;
  rank.value = 0.5;
  rank.tokens = {300, -1};
  both(command::Intervene{{rank}});
  both(command::Seek{299});
  both(command::SwitchTo{0});
  both(command::Seek{40});
  both(command::Seek{long_prompt});
}

TEST_CASE("short prompts, single steps and a backend that only steps are stepped; a pause ends on a whole record") {
  const FakeSession session(with_last(64));
  read(session, 64 + 191);
  CHECK(session.counters->prefills == 0);
  read(session, 64 + 192);
  CHECK(session.counters->prefills == 1);
  session.counters->prefills = 0;
  session.post(command::Prompt{prompt()});
  for (int i = 0; i < 3; ++i) session.after(command::Step{1});
  CHECK(session.counters->prefills == 0);
  session.after(command::StepLast{0});
  CHECK(session.after(command::Step{long_prompt})->step_last == 0);
  CHECK(session.counters->prefills == 0);
  session.after(command::StepLast{1});
  session.post(command::Prompt{prompt()});
  session.post(command::Run{});
  session.post(command::Pause{});
  const auto paused = session.settled();
  if (!paused->empty()) CHECK_FALSE(paused->tokens.back()->skipped);
}

TEST_CASE("a prefill that cannot be done is told, and the tokens are stepped") {
  const FakeSession session(with_last(64));
  session.counters->refuse_prefill = true;
  const auto read_all = read(session);
  CHECK(read_all->mode == SessionMode::idle);
  CHECK(read_all->tokens.size() == long_prompt);
  CHECK_FALSE(read_all->tokens[5]->skipped);
  CHECK(read_all->step_last == 0);
  CHECK(read_all->notice.find("stepped one by one") != std::string::npos);
}

TEST_CASE("with the reference's chunked form, records agree with those of steps, and going back gives the same bits") {
  ModelConfig config;
  config.d_model = 32;
  config.n_layer = 2;
  config.vocab_size = 29;
  config.d_state = 16;
  config.headdim = 16;
  auto model = std::make_shared<Model>();
  auto weights = make_random_weights(config, kernels::DType::bf16, 3);
  REQUIRE(weights.has_value());
  model->weights = std::move(*weights);
  std::shared_ptr<const Snapshot> ends[2];
  for (const int last : {0, 20}) {
    SessionOptions options = with_last(last);
    options.backend.choice = BackendChoice::reference;
    auto session = Session::open(model, options);
    REQUIRE(session.has_value());
    (*session)->post(command::Prompt{prompt(250)});
    const auto after = [&](const Command& command) {
      (*session)->post(command);
      (*session)->wait_idle();
      REQUIRE_FALSE((*session)->snapshot()->error);
      return (*session)->snapshot();
    };
    const auto end = ends[last > 0 ? 1 : 0] = after(command::Step{250});
    CHECK(end->tokens[60]->skipped == (last > 0));
    CHECK_FALSE(after(command::Seek{61})->tokens.back()->skipped);
    CHECK(same_bits(*after(command::Seek{240})->tokens.back(), *end->tokens[239]));
    CHECK(same_bits(*after(command::Seek{250})->tokens.back(), *end->tokens[249]));
  }
  for (std::size_t i = 230; i < 250; ++i) {
    const TokenRecord &a = *ends[0]->tokens[i], &b = *ends[1]->tokens[i];
    CHECK(a.predicted == b.predicted);
    CHECK(a.entropy_bits == doctest::Approx(static_cast<double>(b.entropy_bits)).epsilon(1e-5));
    CHECK(a.probability == doctest::Approx(static_cast<double>(b.probability)).epsilon(1e-4));
  }
}
