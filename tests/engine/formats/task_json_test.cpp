#include "engine/formats/task_json.h"

#include "engine/model/model.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

TEST_CASE("task.json: every field is read") {
  const auto task = engine::parse_task(
      R"({"name":"parity","task":"parity","kind":"labels","symbols":["0","1"],"labels":["even","odd"],"prompts":["0110"],
      "description":"d","origin":"o","license":"MIT","accuracy":{"256":0.999,"64":1},"family":"parity","variant":"no rotation",
      "override":{"lambda":1}})",
      "test", 2);
  REQUIRE_MESSAGE(task.has_value(), (task ? "" : task.error().message));
  CHECK(task->card.labels_positions());
  CHECK(task->card.symbols == std::vector<std::string>{"0", "1"});
  CHECK(task->card.labels[1] == "odd");
  CHECK(task->card.accuracy == std::vector<std::pair<int, double>>{{64, 1.0}, {256, 0.999}});
  CHECK(task->card.license == "MIT");
  CHECK(task->card.family == "parity");
  CHECK(task->card.variant == "no rotation");
  CHECK(task->card.bits_per_byte < 0);
  CHECK(task->lambda_override == 1.0);
  CHECK(engine::parse_task(R"({"kind":"next-token","bits_per_byte":2.25})", "test", 2)->card.bits_per_byte == 2.25);
  CHECK(engine::parse_task(R"({"kind":"next-token"})", "test", 2)->lambda_override < 0);
}

TEST_CASE("a vocabulary of bytes: a prompt is its bytes, every one, and each has a symbol") {
  const auto task = engine::parse_task(R"({"kind":"next-token","vocabulary":"bytes","prompts":[" a\n"]})", "test", 256);
  REQUIRE_MESSAGE(task.has_value(), (task ? "" : task.error().message));
  engine::Model model;
  model.card = task->card;
  CHECK(model.card.takes_text());
  const std::string prompt = "  A\n\té~\\";
  const auto ids = model.encode(prompt);
  REQUIRE(ids.has_value());
  CHECK(*ids == std::vector<std::int32_t>{' ', ' ', 'A', '\n', '\t', 0xC3, 0xA9, '~', '\\'});
  CHECK(model.bytes_of(*ids) == prompt);
  std::string symbols;
  for (const std::int32_t id : *ids) symbols += model.symbol(id);
  CHECK(symbols == "␣␣A↵↦\\xC3\\xA9~\\");
  CHECK(model.symbol(0) == "\\x00");
  CHECK(model.symbol(0x7F) == "\\x7F");
  CHECK(model.label(' ') == "␣");
  CHECK(model.symbol(256) == "#256");
  CHECK(model.encode("")->empty());
  std::set<std::string> different;
  for (std::int32_t id = 0; id < 256; ++id) different.insert(model.symbol(id));
  CHECK(different.size() == 256);
}

TEST_CASE("task.json: what is wrong is refused by name") {
  struct Row {
    std::string text, says;
  };
  const Row rows[] = {
      {"{}", "kind is ''"},
      {R"({"kind":"label"})", "kind is 'label'"},
      {R"({"kind":"labels"})", "at least two classes"},
      {R"({"kind":"next-token","symbols":["a","b","c"]})", "3 symbols"},
      {R"({"kind":"next-token","symbols":["a","a"]})", "'a' is there twice"},
      {R"({"kind":"next-token","symbols":["a",""]})", "empty"},
      {R"({"kind":"next-token","symbols":"ab"})", "symbols is not a list"},
      {R"({"kind":"next-token","symbols":[1]})", "symbols is not a list"},
      {R"({"kind":3})", "kind is not a string"},
      {R"({"kind":"next-token","colour":3})", "'colour'"},
      {R"({"kind":"next-token","accuracy":{"x":1}})", "accuracy has the key 'x'"},
      {R"({"kind":"next-token","accuracy":{"256":1.5}})", "accuracy.256"},
      {R"({"kind":"next-token","accuracy":[1]})", "accuracy is not an object"},
      {R"({"kind":"next-token","family":"f"})", "a family without a variant"},
      {R"({"kind":"next-token","variant":"v"})", "a variant without a family"},
      {R"({"kind":"next-token","family":"","variant":"v"})", "family has 0 bytes"},
      {R"({"kind":"next-token","family":"f","variant":")" + std::string(65, 'v') + "\"}", "variant has 65 bytes"},
      {R"({"kind":"next-token","family":1,"variant":"v"})", "family is not a string"},
      {R"({"kind":"next-token","vocabulary":"words"})", "vocabulary is 'words'"},
      {R"({"kind":"next-token","vocabulary":["bytes"]})", "vocabulary is not a string"},
      {R"({"kind":"next-token","vocabulary":"bytes"})",
       "'next-token' and a vocabulary of 256; this is 'next-token' and 2"},
      {R"({"kind":"next-token","bits_per_byte":0})", "bits_per_byte"},
      {R"({"kind":"next-token","bits_per_byte":"2"})", "bits_per_byte"},
      {R"({"kind":"next-token","bits_per_byte":8.5})", "bits_per_byte"},
      {R"({"kind":"labels","labels":["a","b"],"bits_per_byte":2})", "'next-token'"},
      {R"({"kind":"next-token","override":{"lambda":2}})", "override.lambda"},
      {R"({"kind":"next-token","override":{"dt":2}})", "'dt'"},
      {R"({"kind":"next-token","kind":"labels"})", "twice"},
  };
  const Row rows_of_256[] = {
      {R"({"kind":"labels","labels":["a","b"],"vocabulary":"bytes"})", "this is 'labels' and 256"},
      {R"({"kind":"next-token","vocabulary":"bytes","symbols":["a"]})", "no room for symbols"},
  };
  for (const Row& row : rows_of_256) {
    CAPTURE(row.text);
    const auto task = engine::parse_task(row.text, "test", 256);
    REQUIRE_FALSE(task.has_value());
    CHECK(task.error().message.find(row.says) != std::string::npos);
  }
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto task = engine::parse_task(row.text, "test", 2);
    REQUIRE_FALSE(task.has_value());
    CAPTURE(task.error().message);
    CHECK(task.error().message.find(row.says) != std::string::npos);
  }
}
