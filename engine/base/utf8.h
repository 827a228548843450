// UTF-8, character by character (RFC 3629, table of section 4). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace engine {

enum class Utf8 {
  whole,   // a character
  cut,     // the text ends inside of what may become one
  broken,  // no character begins like this
};

struct Utf8Character {
  Utf8 state = Utf8::broken;
  // Bytes of it. Of a broken one those that could have begun a character, at least one: what Unicode (chapter 3.9) and
  // Rust replace by one U+FFFD.
  std::size_t length = 0;
};

// What a text that is not empty begins with.
Utf8Character first_character(std::string_view text);

// The code point of one whole character, which the text begins with.
char32_t code_point(std::string_view text);

// Writes a code point that is no surrogate and at most U+10FFFF.
void append_utf8(std::string& out, char32_t code);

// The first byte that belongs to no whole character; npos: none.
std::size_t find_not_utf8(std::string_view text);

}  // namespace engine
