// Unicode's normal form C, as Hugging Face `tokenizers` computes it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace engine {

// `text` is valid UTF-8.
std::string to_nfc(std::string_view text);

}  // namespace engine
