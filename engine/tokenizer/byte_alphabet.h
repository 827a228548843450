// How byte-level BPE writes bytes as characters, so that its vocabulary is text: printable Latin-1 stands for itself, the
// other 68 bytes are U+0100 to U+0143 in their order ("Ġ" is a blank). From GPT-2. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace engine {

// Every byte as its character.
std::string to_byte_alphabet(std::string_view bytes);

// The bytes that a text in the alphabet stands for; nothing where a character is none of it. `text` is valid UTF-8.
std::optional<std::string> from_byte_alphabet(std::string_view text);

}  // namespace engine
