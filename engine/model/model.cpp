#include "engine/model/model.h"

#include "engine/base/quote.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/text_stream.h"
#include "engine/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace engine {

namespace {

std::string text_or_number(const std::vector<std::string>& texts, std::int32_t id) {
  if (id >= 0 && static_cast<std::size_t>(id) < texts.size()) return texts[static_cast<std::size_t>(id)];
  return "#" + std::to_string(id);
}

// Marks that the program's own fonts carry.
std::string byte_symbol(unsigned byte) {
  if (byte == ' ') return "␣";
  if (byte == '\n') return "↵";
  if (byte == '\t') return "↦";
  if (byte > 0x20 && byte < 0x7F) return std::string(1, static_cast<char>(byte));
  return fmt::format("\\x{:02X}", byte);
}

// A token's bytes with the same marks; whole characters stay, unless they would harm a terminal.
std::string piece_symbol(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const Utf8Character next = first_character(bytes);
    const std::string_view piece = bytes.substr(0, next.length);
    if (next.length == 1 || next.state != Utf8::whole) {
      for (const char c : piece) out += byte_symbol(static_cast<unsigned char>(c));
    } else {
      out += printable(piece);
    }
    bytes.remove_prefix(next.length);
  }
  return out;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// How many bytes from `at` on, at most `most` of them, do not end inside a character of more than one.
std::size_t whole_characters(const std::string& text, std::size_t at, std::size_t most) {
  std::size_t end = std::min(at + most, text.size());
  while (end > at + 1 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return end - at;
}

}  // namespace

std::string Model::symbol(std::int32_t id) const {
  if (tokenizer != nullptr && !tokenizer->bytes_of(id).empty()) return piece_symbol(tokenizer->bytes_of(id));
  return card.bytes && id >= 0 && id < 256 ? byte_symbol(static_cast<unsigned>(id)) : text_or_number(card.symbols, id);
}

std::string Model::label(std::int32_t id) const {
  return card.labels_positions() ? text_or_number(card.labels, id) : symbol(id);
}

std::string Model::bytes_of(const std::vector<std::int32_t>& ids) const {
  std::string text;
  for (const std::int32_t id : ids) {
    if (tokenizer != nullptr) {
      text += tokenizer->bytes_of(id);
    } else {
      text += static_cast<char>(static_cast<unsigned char>(id));
    }
  }
  return text;
}

std::string Model::text_of(const std::vector<std::int32_t>& ids) const {
  return tokenizer != nullptr ? tokenizer->decode(ids) : valid_utf8(bytes_of(ids));
}

std::int32_t Model::text_beginning() const {
  if (card.bytes) return '\n';
  if (tokenizer == nullptr) return -1;
  if (!tokenizer->before().empty()) return tokenizer->before().front();
  const auto line_break = encode("\n", false);
  return line_break && !line_break->empty() ? line_break->front() : -1;
}

Result<std::vector<std::int32_t>> Model::encode(const std::string& prompt, bool special) const {
  if (card.bytes) {
    std::vector<std::int32_t> ids;
    for (const char c : prompt) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }
  if (tokenizer != nullptr) {
    auto ids = tokenizer->encode(prompt, special);
    if (!ids) return ids;
    for (const std::int32_t id : *ids) {
      if (id < config().vocab_size) continue;
      return input_error(fmt::format("The prompt has the token {}, whose id {} is beyond the model's vocabulary of {}.",
                                     in_quotes(tokenizer->bytes_of(id)), id, config().vocab_size));
    }
    return ids;
  }
  if (card.symbols.empty()) {
    return input_error(
        fmt::format("The model {} has no symbols and no tokenizer to write a prompt in. Give token ids "
                    "(--tokens 1,2,3){}{}",
                    in_quotes(name), tokenizer_fault.empty() ? "." : ". ", tokenizer_fault));
  }
  std::vector<std::int32_t> ids;
  for (std::size_t at = 0; at < prompt.size();) {
    std::size_t longest = 0, which = 0;
    for (std::size_t i = 0; i < card.symbols.size(); ++i) {
      const std::string& text = card.symbols[i];
      if (text.size() > longest && prompt.compare(at, text.size(), text) == 0) {
        longest = text.size();
        which = i;
      }
    }
    if (longest > 0) {
      ids.push_back(static_cast<std::int32_t>(which));
      at += longest;
    } else if (is_blank(prompt[at])) {
      ++at;
    } else {
      std::string known;
      for (std::size_t i = 0; i < card.symbols.size() && i < 20; ++i) known += " " + in_quotes(card.symbols[i]);
      return input_error(fmt::format("The prompt has {} at byte {}, which is none of the model's symbols:{}{}.",
                                     in_quotes(std::string_view(prompt).substr(at, whole_characters(prompt, at, 16))),
                                     at, known, card.symbols.size() > 20 ? " and more" : ""));
    }
  }
  return ids;
}

}  // namespace engine
