#include "engine/tokenizer/byte_alphabet.h"

#include "engine/base/utf8.h"

#include <array>

namespace engine {

namespace {

constexpr char32_t first_of_others = 0x100;

struct Alphabet {
  std::array<std::string, 256> character;
  std::array<int, 0x144> byte{};  // of a code point; -1: none

  Alphabet() {
    byte.fill(-1);
    char32_t next = first_of_others;
    for (unsigned b = 0; b < 256; ++b) {
      const bool itself = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      const char32_t code = itself ? static_cast<char32_t>(b) : next++;
      append_utf8(character[b], code);
      byte[code] = static_cast<int>(b);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet made;
  return made;
}

}  // namespace

std::string to_byte_alphabet(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) out += alphabet().character[static_cast<unsigned char>(c)];
  return out;
}

std::optional<std::string> from_byte_alphabet(std::string_view text) {
  std::string out;
  const auto& byte = alphabet().byte;
  while (!text.empty()) {
    const char32_t code = code_point(text);
    if (code >= byte.size() || byte[code] < 0) return std::nullopt;
    out += static_cast<char>(static_cast<unsigned char>(byte[code]));
    text.remove_prefix(first_character(text).length);
  }
  return out;
}

}  // namespace engine
