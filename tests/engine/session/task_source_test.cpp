#include "engine/session/task_source.h"

#include "tests/engine/session/session_support.h"

#include <doctest/doctest.h>

using namespace engine;

namespace {

std::shared_ptr<const Model> parity_model() {
  auto model = std::make_shared<Model>(*fake_model());
  model->card.kind = "labels";
  model->card.task = "parity";
  model->card.labels = {"even", "odd"};
  return model;
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
  s.post(command::Branch{});
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
  const TaskSource a(*model, 1), same(*model, 1), other(*model, 2);
  int differ = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    CHECK(a.draw(i) == same.draw(i));
    differ += a.draw(i) != other.draw(i) ? 1 : 0;
  }
  CHECK(differ > 50);
}

TEST_CASE("ids that are none of the task's symbols have no truth, nor what follows them") {
  const FakeSession s({}, parity_model());
  s.post(command::Prompt{{1, 1, 4, 1}});
  const auto snapshot = s.after(command::Step{6});
  CHECK(snapshot->tokens[1]->truth == 0);
  CHECK(snapshot->tokens[2]->truth == -1);
  CHECK(snapshot->tokens[5]->truth == -1);
}

TEST_CASE("a next-token model has no truth and starts anywhere") {
  const FakeSession s;
  const auto snapshot = s.after(command::Step{3});
  CHECK(snapshot->tokens[0]->truth == -1);
  CHECK(snapshot->tokens[0]->origin == TokenOrigin::sampled);
  CHECK(snapshot->tokens[0]->id < 6);
}
