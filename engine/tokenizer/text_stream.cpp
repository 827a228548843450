#include "engine/tokenizer/text_stream.h"

#include "engine/base/utf8.h"

#include <utility>

namespace engine {

namespace {

constexpr const char* replacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace

bool TextStream::byte_level() const { return tokenizer_ == nullptr || tokenizer_->decoding() == Decoding::byte_level; }

std::string TextStream::push(std::int32_t id) {
  if (tokenizer_ == nullptr) {
    waiting_ += static_cast<char>(static_cast<unsigned char>(id));
    return whole_characters(false);
  }
  if (!tokenizer_->has(id)) return {};
  const std::string_view bytes = tokenizer_->bytes_of(id);
  if (byte_level() || tokenizer_->is_fallback_byte(id)) {
    waiting_ += bytes;
    return byte_level() ? whole_characters(false) : std::string();
  }
  return fallback_bytes() + std::string(bytes);
}

std::string TextStream::finish() { return byte_level() ? whole_characters(true) : fallback_bytes(); }

std::string TextStream::whole_characters(bool at_end) {
  std::string out;
  std::size_t at = 0;
  while (at < waiting_.size()) {
    const std::string_view rest = std::string_view(waiting_).substr(at);
    const Utf8Character next = first_character(rest);
    if (next.state == Utf8::cut && !at_end) break;
    if (next.state == Utf8::whole) {
      out += rest.substr(0, next.length);
    } else {
      out += replacement;
    }
    at += next.length;
  }
  waiting_.erase(0, at);
  return out;
}

// Byte tokens in a row mean something only together: text if they are valid, else one U+FFFD each.
std::string TextStream::fallback_bytes() {
  const std::string bytes = std::exchange(waiting_, {});
  if (find_not_utf8(bytes) == std::string::npos) return bytes;
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) out += replacement;
  return out;
}

}  // namespace engine
