#include "engine/base/quote.h"

#include <doctest/doctest.h>

TEST_CASE("text from files is harmless in a terminal and bounded in a message") {
  CHECK(engine::printable("a\x1b[2Jb\n") == "a\\x1b[2Jb\\x0a");
  CHECK(engine::printable("\xC2\x9B"
                          "2J") == "\\xc2\\x9b2J");  // CSI in one character
  CHECK(engine::printable("a\xE2\x80\xAE"
                          "b") == "a\\xe2\\x80\\xaeb");  // right to left from here
  CHECK(engine::printable("é “0” →") == "é “0” →");
  CHECK(engine::printable("\xC2") == "\xC2");  // cut off: nothing is read behind the end
  CHECK(engine::in_quotes("") == "''");
  CHECK(engine::in_quotes(std::string(120, 'x')) == "'" + std::string(120, 'x') + "'");
  CHECK(engine::in_quotes(std::string(121, 'x')) == "'" + std::string(120, 'x') + "...'");
  // A character of two bytes that straddles the limit is left out whole.
  CHECK(engine::in_quotes(std::string(119, 'x') + "\xC3\xA9" + "z") == "'" + std::string(119, 'x') + "...'");
}
