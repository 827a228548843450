#include "engine/base/utf8.h"

#include <doctest/doctest.h>

TEST_CASE("every code point is written and read again") {
  for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    engine::append_utf8(text, c);
    const engine::Utf8Character read = engine::first_character(text + "x");
    REQUIRE(read.state == engine::Utf8::whole);
    REQUIRE(read.length == text.size());
    REQUIRE(engine::code_point(text) == c);
    if (text.size() > 1) {
      const engine::Utf8Character cut = engine::first_character(text.substr(0, text.size() - 1));
      REQUIRE(cut.state == engine::Utf8::cut);
      REQUIRE(cut.length == text.size() - 1);
    }
  }
}

TEST_CASE("what begins no character is broken, as far as it could have begun one") {
  struct Row {
    const char* text;
    std::size_t length;
  };
  for (const Row& row : {Row{"\x80", 1},
                         {"\xC0\x80", 1},
                         {"\xC3(", 1},
                         {"\xE0\x80\x80", 1},
                         {"\xED\xA0\x80", 1},
                         {"\xE2\x82(", 2},
                         {"\xF0\x9F\x98(", 3},
                         {"\xF4\x90\x80\x80", 1},
                         {"\xF5\x80", 1},
                         {"\xFF", 1}}) {
    const engine::Utf8Character read = engine::first_character(row.text);
    CHECK(read.state == engine::Utf8::broken);
    CHECK(read.length == row.length);
  }
  CHECK(engine::find_not_utf8("a\xC3\xA9") == std::string_view::npos);
  CHECK(engine::find_not_utf8("a\xC3\xA9\xC3") == 3);
}
