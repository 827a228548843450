#include "engine/tokenizer/normal_form.h"

#include "engine/base/utf8.h"
#include "engine/tokenizer/unicode_versions.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <new>

namespace engine {

namespace {

constexpr char32_t first_mark = 0x300;  // no text below it changes

struct Free {
  void operator()(utf8proc_uint8_t* memory) const { std::free(memory); }
};

// The normal form of a text in which every character is known.
void append_normalised(std::string& out, std::string_view text) {
  if (text.empty()) return;
  utf8proc_uint8_t* made = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &made, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, Free> owned(made);
  if (size < 0) throw std::bad_alloc();  // the text is valid, so memory is all that can be missing
  out.append(reinterpret_cast<const char*>(made), static_cast<std::size_t>(size));
}

}  // namespace

std::string to_nfc(std::string_view text) {
  std::string out;
  std::size_t begin = 0;
  bool plain = true;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const std::size_t length = first_character(rest).length;
    const char32_t code = code_point(rest);
    plain = plain && code < first_mark;
    if (unknown_to_normaliser(code)) {
      append_normalised(out, text.substr(begin, at - begin));
      out += rest.substr(0, length);
      begin = at + length;
    }
    at += length;
  }
  if (plain) return std::string(text);
  append_normalised(out, text.substr(begin));
  return out;
}

}  // namespace engine
