#include "app/viewmodel/prompt_text.h"

#include <doctest/doctest.h>

using Ids = std::vector<std::int32_t>;

TEST_CASE("a prompt in symbols, and back") {
  engine::Model model;
  model.weights.config.vocab_size = 2;
  model.card.symbols = {"0", "1"};
  const auto ids = app::read_prompt(model, "10 1");
  REQUIRE(ids.has_value());
  CHECK(*ids == Ids{1, 0, 1});
  CHECK(app::write_prompt(model, *ids) == "101");
  CHECK_FALSE(app::read_prompt(model, "102").has_value());
}

TEST_CASE("a model without symbols takes numbers and says what is wrong with others") {
  engine::Model model;
  model.weights.config.vocab_size = 100;
  const auto ids = app::read_prompt(model, " 1, 2,,3\n#99 ");
  REQUIRE(ids.has_value());
  CHECK(*ids == Ids{1, 2, 3, 99});
  CHECK(app::write_prompt(model, *ids) == "1 2 3 99");
  CHECK(app::read_prompt(model, "")->empty());
  CHECK(app::read_prompt(model, "1 100").error().message.find("100") != std::string::npos);
  CHECK(app::read_prompt(model, "1 -1").error().message.find("-1") != std::string::npos);
  CHECK(app::read_prompt(model, "1 2x").error().message.find("2x") != std::string::npos);
  CHECK(app::read_prompt(model, "99999999999").error().message.find("99999999999") != std::string::npos);
}

TEST_CASE("where tokens are bytes, a prompt is the text itself") {
  engine::Model model;
  model.weights.config.vocab_size = 256;
  model.card.bytes = true;
  const std::string text = " It was\n\tnot é. ";
  const auto ids = app::read_prompt(model, text);
  REQUIRE(ids.has_value());
  CHECK(ids->size() == text.size());
  CHECK(ids->front() == ' ');
  CHECK(app::write_prompt(model, *ids) == text);
  CHECK(app::write_prompt(model, {0xFF, 'a'}) ==
        "\xFF"
        "a");
  CHECK(app::on_one_line(text) == " It was↵↦not é. ");
}
