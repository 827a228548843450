// Text from a file inside an error message: a hostile name must not reach the terminal raw or fill it.
#pragma once

#include <string>
#include <string_view>

namespace engine {

// 'text' in single quotes; control characters as \xNN, bytes that are not UTF-8 text left as they are, cut after 120
// bytes with "...".
std::string in_quotes(std::string_view text);

}  // namespace engine
