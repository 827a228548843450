#include "engine/session/task_source.h"

#include "tests/engine/session/session_support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace engine;

namespace {

std::shared_ptr<const Model> parity_model() {
  auto model = std::make_shared<Model>(*fake_model());
  model->card.kind = "labels";
  model->card.task = "parity";
  model->card.symbols = {"0", "1"};
  model->card.labels = {"even", "odd"};
  return model;
}

std::shared_ptr<const Model> brackets_model() {
  auto model = std::make_shared<Model>(*fake_model());
  model->weights.config.vocab_size = 10;
  model->card.kind = "labels";
  model->card.task = "modular-brackets";
  model->card.symbols = {"0", "1", "2", "3", "4", "+", "-", "x", "(", ")"};
  model->card.labels = {"0", "1", "2", "3", "4"};
  return model;
}

std::vector<std::int32_t> truths_of(const Snapshot& snapshot) {
  std::vector<std::int32_t> truths;
  for (const auto& record : snapshot.tokens) truths.push_back(record->truth);
  return truths;
}

}  // namespace

TEST_CASE("a model that labels positions draws its inputs from its task and knows the truth") {
  SessionOptions options;
  options.seed = 5;
  const FakeSession s(options, parity_model());
  s.post(command::Prompt{{1, 1, 0, 1}});
  const auto snapshot = s.after(command::Step{900});
  int ones = 0, drawn_ones = 0;
  for (const auto& record : snapshot->tokens) {
    REQUIRE((record->id == 0 || record->id == 1));
    ones += record->id;
    CHECK(record->truth == ones % 2);
    CHECK(record->origin == (record->position < 4 ? TokenOrigin::given : TokenOrigin::task));
    CHECK(record->probability == -1);
    CHECK(record->top.size() == 2);  // over the classes
    CHECK(record->predicted < 2);
    if (record->position >= 4) drawn_ones += record->id;
  }
  CHECK(drawn_ones > 380);
  CHECK(drawn_ones < 520);

  // Back, other tokens, and on: the truth follows what was consumed.
  s.post(command::Seek{2});
  s.post(command::Forget{});
  s.post(command::Append{{1, 0}});
  const auto branch = s.after(command::Step{50});
  ones = 0;
  for (const auto& record : branch->tokens) {
    ones += record->id;
    CHECK(record->truth == ones % 2);
  }
}

TEST_CASE("the drawn inputs depend on the seed and the position only") {
  const auto model = parity_model();
  TaskSource a(*model, 1), same(*model, 1), other(*model, 2);
  int differ = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    CHECK(a.draw(i) == same.draw(i));
    differ += a.draw(i) != other.draw(i) ? 1 : 0;
    a.read(i, 1);  // the ids that came before do not matter
    same.read(i, 0);
    other.read(i, 0);
  }
  CHECK(differ > 50);
}

TEST_CASE("the drawn inputs of parity stay what they were") {
  for (const auto& [seed, drawn] :
       {std::pair<std::uint64_t, std::string>{0, "0001001101110110101100111011100110011000000111000000111110011111"},
        {5, "0001001110011110101000000100011001110100110111010110001011100101"}}) {
    TaskSource source(*parity_model(), seed);
    std::string digits;
    for (std::int64_t i = 0; i < 64; ++i) {
      digits += std::to_string(source.draw(i));
      source.read(i, source.draw(i));
    }
    CHECK(digits == drawn);
  }
  const TaskSource plain(*fake_model(), 5);
  std::string digits;
  for (std::int64_t i = 0; i < 32; ++i) digits += std::to_string(plain.draw(i));
  CHECK(digits == "24012213322331143014220443200350");
}

TEST_CASE("what is drawn goes on from what was given, and back to where a branch began") {
  const auto model = brackets_model();
  const FakeSession s({}, model);
  s.post(command::Prompt{{8, 8, 3}});  // ((3
  const auto first = s.after(command::Step{400});
  const auto truths = truths_of(*first);
  TaskWalk walk(**find_task("modular-brackets"));
  for (const auto& record : first->tokens) {
    CHECK(record->truth == walk.read(record->id));
    REQUIRE(record->truth != not_known);
  }
  CHECK(std::count_if(truths.begin(), truths.end(), [](std::int32_t truth) { return truth >= 0; }) > 20);

  // Back and forward again: the same. Back and another way: as if it had always been given.
  s.post(command::Seek{100});
  CHECK(truths_of(*s.after(command::Step{300})) == std::vector<std::int32_t>(truths.begin(), truths.begin() + 400));
  s.post(command::Seek{3});
  s.post(command::Forget{});
  s.post(command::Append{{9, 9, 7, 4}});  // ((3))x4 = 2
  const auto branch = s.after(command::Step{4});
  CHECK(truths_of(*branch) == std::vector<std::int32_t>{-1, -1, -1, -1, 3, -1, 2});
}

TEST_CASE("a token that breaks the grammar ends what is known, until it is taken back") {
  const FakeSession s({}, brackets_model());
  s.post(command::Prompt{{3, 5, 5, 3}});  // 3++3
  const auto snapshot = s.after(command::Step{30});
  CHECK(snapshot->tokens[0]->truth == 3);
  CHECK(snapshot->tokens[1]->truth == not_asked);
  for (std::size_t i = 2; i < 30; ++i) CHECK(snapshot->tokens[i]->truth == not_known);
  s.post(command::Seek{2});
  s.post(command::Forget{});
  s.post(command::Append{{4}});
  CHECK(s.after(command::Step{1})->tokens[2]->truth == 2);
}

TEST_CASE("ids that are none of the task's symbols have no truth, nor what follows them") {
  const FakeSession s({}, parity_model());
  s.post(command::Prompt{{1, 1, 4, 1}});
  const auto snapshot = s.after(command::Step{6});
  CHECK(snapshot->tokens[1]->truth == 0);
  CHECK(snapshot->tokens[2]->truth == not_known);
  CHECK(snapshot->tokens[5]->truth == not_known);
}

TEST_CASE("a model of bytes starts where a text begins") {
  auto model = std::make_shared<Model>(*fake_model());
  model->weights.config.vocab_size = 256;
  model->card.kind = "next-token";
  model->card.bytes = true;
  for (const std::uint64_t seed : {1, 2}) CHECK(TaskSource(*model, seed).draw(0) == '\n');
}

TEST_CASE("a next-token model has no truth and starts anywhere") {
  const FakeSession s;
  const auto snapshot = s.after(command::Step{3});
  CHECK(snapshot->tokens[0]->truth == -1);
  CHECK(snapshot->tokens[0]->origin == TokenOrigin::sampled);
  CHECK(snapshot->tokens[0]->id < 6);
}
