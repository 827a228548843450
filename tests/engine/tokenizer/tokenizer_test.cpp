// Ids against those of Hugging Face tokenizers, on small vocabularies; tests/tools/compare_tokenizer.py wrote both.
#include "engine/tokenizer/tokenizer.h"

#include "engine/tokenizer/text_stream.h"
#include "engine/tokenizer/tokenizer_json.h"
#include "tests/engine/tokenizer/small_tokenizer.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace {

using Ids = std::vector<std::int32_t>;

const std::string folder = std::string(TEST_SOURCE_ROOT) + "/tests/engine/tokenizer/data/";

std::string piece_by_piece(const engine::Tokenizer& tokenizer, const Ids& ids) {
  engine::TextStream stream(&tokenizer);
  std::string out;
  for (const std::int32_t id : ids) out += stream.push(id);
  return out + stream.finish();
}

}  // namespace

TEST_CASE("ids and decoded text are those of Hugging Face tokenizers") {
  for (const char* name : {"llama3", "neox", "unusual", "fallback"}) {
    CAPTURE(name);
    const auto tokenizer = engine::read_tokenizer(folder + name + ".json");
    REQUIRE_MESSAGE(tokenizer.has_value(), tokenizer.error().message);
    std::ifstream file(folder + name + ".cases.json");
    const auto cases = nlohmann::json::parse(file);
    REQUIRE(cases.size() >= 100);
    for (const auto& row : cases) {
      const auto text = row.at("text").get<std::string>();
      CAPTURE(text);
      const auto ids = (*tokenizer)->encode(text, true), plain = (*tokenizer)->encode(text, false);
      REQUIRE(ids.has_value());
      REQUIRE(plain.has_value());
      CHECK(*ids == row.at("ids").get<Ids>());
      CHECK(*plain == row.value("plain", *ids));
      CHECK((*tokenizer)->decode(*ids) == row.value("decoded", text));
      CHECK(piece_by_piece(**tokenizer, *ids) == row.value("decoded", text));
    }
  }
}

TEST_CASE("the special token that begins every text can be left out") {
  const auto tokenizer = *engine::read_tokenizer(folder + "llama3.json");
  REQUIRE(tokenizer->before().size() == 1);
  const std::int32_t begin = tokenizer->before().front();
  CHECK(tokenizer->is_special(begin));
  CHECK(tokenizer->bytes_of(begin) == "<|begin_of_text|>");
  CHECK(*tokenizer->encode("", true) == Ids{begin});
  CHECK(tokenizer->encode("", false)->empty());
  CHECK(*tokenizer->encode("<|begin_of_text|>", false) == Ids{begin});  // spelled out in the text itself
}

TEST_CASE("a word that is a token is taken whole where merges are ignored, though no merge makes it") {
  for (const bool ignored : {true, false}) {
    const std::string more = std::string(R"(,"ignore_merges":)") + (ignored ? "true" : "false");
    const auto tokenizer = tests::small_tokenizer({"a", "b", "c", "bc", "abc"}, {"b c"}, more);
    REQUIRE_MESSAGE(tokenizer.has_value(), tokenizer.error().message);
    CHECK(*(*tokenizer)->encode("abc", true) == (ignored ? Ids{4} : Ids{0, 3}));
  }
}

TEST_CASE("merges go by rank, and of the same rank from left to right") {
  const auto tokenizer = *tests::small_tokenizer({"a", "b", "aa", "ab", "aab"}, {"a b", "a a", "a ab"});
  CHECK(*tokenizer->encode("aab", true) == Ids{4});
  CHECK(*tokenizer->encode("aaab", true) == Ids{2, 3});  // of a a ab, (a, a) comes before (a, ab)
  CHECK(*tokenizer->encode("aaaaa", true) == Ids{2, 2, 0});
}

TEST_CASE("a long word without an end is encoded in time") {
  const auto tokenizer = *tests::small_tokenizer({"a", "aa", "aaaa"}, {"a a", "aa aa"});
  const auto ids = tokenizer->encode(std::string(1000000, 'a'), true);
  REQUIRE(ids.has_value());
  CHECK(ids->size() == 250000);
}

TEST_CASE("text that is not UTF-8 is refused") {
  const auto tokenizer = *engine::read_tokenizer(folder + "neox.json");
  const auto ids = tokenizer->encode("abc\xC3(", true);
  REQUIRE_FALSE(ids.has_value());
  CHECK(ids.error().kind == engine::ErrorKind::input);
  CHECK(ids.error().message.find("byte 3") != std::string::npos);
}

TEST_CASE("a character that several tokens spell is shown when it is whole") {
  const auto tokenizer = *engine::read_tokenizer(folder + "neox.json");
  const auto byte = [&](unsigned value) {  // the token of one byte
    for (std::int32_t id = 0; id <= tokenizer->largest_id(); ++id) {
      if (tokenizer->bytes_of(id) == std::string(1, static_cast<char>(value))) return id;
    }
    return -1;
  };
  engine::TextStream stream(tokenizer.get());
  CHECK(stream.push(byte('x')) == "x");
  CHECK(stream.push(byte(0xE2)).empty());
  CHECK(stream.push(byte(0x82)).empty());
  CHECK(stream.push(byte(0xAC)) == "€");
  CHECK(stream.push(byte(0xE2)).empty());
  CHECK(stream.push(byte('y')) == "\uFFFDy");
  CHECK(stream.push(byte(0xFF)) == "\uFFFD");
  CHECK(stream.push(byte(0xF0)).empty());
  CHECK(stream.push(1 << 20).empty());  // no token
  CHECK(stream.finish() == "\uFFFD");
  CHECK(stream.finish().empty());
}

TEST_CASE("without a tokenizer ids are bytes, which end in whole characters, too") {
  engine::TextStream stream(nullptr);
  CHECK(stream.push(0xC3).empty());
  CHECK(stream.push(0xA9) == "é");
  CHECK(stream.finish().empty());
}
