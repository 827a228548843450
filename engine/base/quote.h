// Text from a file on its way to a terminal: a hostile name must not reach it raw or, in an error message, fill it.
#pragma once

#include <string>
#include <string_view>

namespace engine {

// The text, whole and as valid UTF-8, with control characters, marks that turn the direction of writing and bytes that
// belong to no character as the \xNN of their bytes.
std::string printable(std::string_view text);

// The text with every byte that belongs to no UTF-8 character as its \xNN.
std::string valid_utf8(std::string_view text);

// 'text' in single quotes, printable, cut after 120 bytes with "...".
std::string in_quotes(std::string_view text);

}  // namespace engine
