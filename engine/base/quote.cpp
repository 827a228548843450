#include "engine/base/quote.h"

#include <fmt/format.h>

#include <algorithm>

namespace engine {

namespace {

// Bytes of the harmful character that the text begins with; 0: none. In UTF-8 these are, beside the ASCII controls, the C1
// controls (U+009B starts a terminal sequence as ESC [ does) and the marks that turn the direction of writing, which
// show a name as another.
std::size_t harmful(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) return 2;
  if (byte(0) != 0xE2) return 0;
  const unsigned tail = byte(1) << 8U | byte(2);
  const bool turns = tail == 0x808E || tail == 0x808F || (tail >= 0x80A8 && tail <= 0x80AE) ||
                     (tail >= 0x81A6 && tail <= 0x81A9);  // U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069
  return turns ? 3 : 0;
}

// Bytes of the UTF-8 character that the text begins with (RFC 3629, table of section 4); 0: it begins with none.
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xC2 || first > 0xF4 ? 0U : first < 0xE0 ? 2U : first < 0xF0 ? 3U : 4U;
  // The second byte's range is narrower where the character would be overlong, a surrogate or beyond U+10FFFF.
  const unsigned least = first == 0xE0 ? 0xA0U : first == 0xF0 ? 0x90U : 0x80U;
  const unsigned most = first == 0xED ? 0x9FU : first == 0xF4 ? 0x8FU : 0xBFU;
  if (length == 0 || byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t bad = harmful(text);
    for (const char c : text.substr(0, bad)) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    if (bad == 0) out += text.front();
    text.remove_prefix(std::max<std::size_t>(bad, 1));
  }
  return out;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = character(text);
    if (length == 0) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 120;
  std::size_t end = text.size() < longest ? text.size() : longest;
  // Never cut inside a multi-byte character.
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return "'" + printable(text.substr(0, end)) + (end < text.size() ? "...'" : "'");
}

}  // namespace engine
