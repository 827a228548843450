#include "engine/base/utf8.h"

namespace engine {

Utf8Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {Utf8::whole, 1};
  const std::size_t length = first < 0xC2 || first > 0xF4 ? 0U : first < 0xE0 ? 2U : first < 0xF0 ? 3U : 4U;
  if (length == 0) return {Utf8::broken, 1};
  // The second byte's range is narrower where the character would be overlong, a surrogate or beyond U+10FFFF.
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned least = i > 1 ? 0x80U : first == 0xE0 ? 0xA0U : first == 0xF0 ? 0x90U : 0x80U;
    const unsigned most = i > 1 ? 0xBFU : first == 0xED ? 0x9FU : first == 0xF4 ? 0x8FU : 0xBFU;
    if (i >= text.size()) return {Utf8::cut, i};
    if (byte(i) < least || byte(i) > most) return {Utf8::broken, i};
  }
  return {Utf8::whole, length};
}

char32_t code_point(std::string_view text) {
  const auto bits = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i]) & 0x3FU); };
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return first;
  if (first < 0xE0) return (first & 0x1FU) << 6U | bits(1);
  if (first < 0xF0) return (first & 0x0FU) << 12U | bits(1) << 6U | bits(2);
  return (first & 0x07U) << 18U | bits(1) << 12U | bits(2) << 6U | bits(3);
}

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6U);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12U);
    put(0x80 | (code >> 6U & 0x3F));
  } else {
    put(0xF0 | code >> 18U);
    put(0x80 | (code >> 12U & 0x3F));
    put(0x80 | (code >> 6U & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

std::size_t find_not_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character next = first_character(text.substr(at));
    if (next.state != Utf8::whole) return at;
    at += next.length;
  }
  return std::string_view::npos;
}

}  // namespace engine
