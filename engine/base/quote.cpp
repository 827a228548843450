#include "engine/base/quote.h"

#include "engine/base/utf8.h"

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

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    const bool shown = next.state == Utf8::whole && harmful(text) == 0;
    const std::string_view piece = text.substr(0, next.length);
    for (const char c : piece) {
      out += shown ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    text.remove_prefix(piece.size());
  }
  return out;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    const std::size_t length = next.state == Utf8::whole ? next.length : 0;
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
