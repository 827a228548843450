#include "engine/model/model.h"

#include "engine/base/quote.h"

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

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// How many bytes from `at` on, at most `most` of them, do not end inside a character of more than one.
std::size_t whole_characters(const std::string& text, std::size_t at, std::size_t most) {
  std::size_t end = std::min(at + most, text.size());
  while (end > at + 1 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return end - at;
}

}  // namespace

std::string Model::symbol(std::int32_t id) const {
  return card.bytes && id >= 0 && id < 256 ? byte_symbol(static_cast<unsigned>(id)) : text_or_number(card.symbols, id);
}

std::string Model::label(std::int32_t id) const {
  return card.labels_positions() ? text_or_number(card.labels, id) : symbol(id);
}

std::string Model::bytes_of(const std::vector<std::int32_t>& ids) const {
  std::string text;
  for (const std::int32_t id : ids) text += static_cast<char>(static_cast<unsigned char>(id));
  return text;
}

Result<std::vector<std::int32_t>> Model::encode(const std::string& prompt) const {
  if (card.bytes) {
    std::vector<std::int32_t> ids;
    for (const char c : prompt) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }
  if (card.symbols.empty()) {
    return input_error(fmt::format("The model {} has no symbols to write a prompt in. Give token ids (--tokens 1,2,3).",
                                   in_quotes(name)));
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
