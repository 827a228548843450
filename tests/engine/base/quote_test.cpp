#include "engine/base/quote.h"

#include <doctest/doctest.h>

TEST_CASE("text from files is harmless in a terminal and bounded in a message") {
  CHECK(engine::printable("a\x1b[2Jb\n") == "a\\x1b[2Jb\\x0a");
  CHECK(engine::printable("\xC2\x9B"
                          "2J") == "\\xc2\\x9b2J");  // CSI in one character
  CHECK(engine::printable("a\xE2\x80\xAE"
                          "b") == "a\\xe2\\x80\\xaeb");  // right to left from here
  CHECK(engine::printable("é “0” →") == "é “0” →");
  CHECK(engine::printable("\xC2") == "\\xc2");  // cut off: nothing is read behind the end
  CHECK(engine::printable("\xFF\xC3(é") == "\\xff\\xc3(é");
  CHECK(engine::in_quotes("") == "''");
  CHECK(engine::in_quotes(std::string(120, 'x')) == "'" + std::string(120, 'x') + "'");
  CHECK(engine::in_quotes(std::string(121, 'x')) == "'" + std::string(120, 'x') + "...'");
  // A character of two bytes that straddles the limit is left out whole.
  CHECK(engine::in_quotes(std::string(119, 'x') + "\xC3\xA9" + "z") == "'" + std::string(119, 'x') + "...'");
}

TEST_CASE("bytes that belong to no UTF-8 character are escaped, and only those") {
  const std::string good = "a\n\x1b é – 𝄞 \xF4\x8F\xBF\xBF \xEE\x80\x80";
  CHECK(engine::valid_utf8(good) == good);
  CHECK(engine::valid_utf8("a\xFFz") == "a\\xffz");
  CHECK(engine::valid_utf8("\xC3") == "\\xc3");           // cut off
  CHECK(engine::valid_utf8("\xC3(") == "\\xc3(");         // no continuation
  CHECK(engine::valid_utf8("\xA9") == "\\xa9");           // no beginning
  CHECK(engine::valid_utf8("\xC0\x80") == "\\xc0\\x80");  // overlong
  CHECK(engine::valid_utf8("\xE0\x80\x80") == "\\xe0\\x80\\x80");
  CHECK(engine::valid_utf8("\xED\xA0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(engine::valid_utf8("\xF4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond the last character
  CHECK(engine::valid_utf8("\xE2\x82") == "\\xe2\\x82");
  CHECK(engine::valid_utf8(std::string(1, '\0')) == std::string(1, '\0'));
}
