#include "engine/tokenizer/added_tokens.h"

#include "engine/base/utf8.h"
#include "engine/tokenizer/pattern_text.h"

#include <algorithm>
#include <utility>

namespace engine {

namespace {

bool is_blank(char32_t c) {
  return (c >= 0x9 && c <= 0xD) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

// Where the character before `end` begins; 0 at the text's beginning.
std::size_t before(std::string_view text, std::size_t end) {
  while (end > 0 && (static_cast<unsigned char>(text[end - 1]) & 0xC0U) == 0x80U) --end;
  return end > 0 ? end - 1 : 0;
}

std::size_t without_blanks_at_end(std::string_view text, std::size_t end) {
  while (end > 0 && is_blank(code_point(text.substr(before(text, end))))) end = before(text, end);
  return end;
}

std::size_t after_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(code_point(text.substr(at)))) at += first_character(text.substr(at)).length;
  return at;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)), roots_(256, -1) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const std::string& content = tokens_[i].content;
    const auto first = static_cast<unsigned char>(content[0]);
    if (roots_[first] < 0) {
      roots_[first] = static_cast<std::int32_t>(nodes_.size());
      nodes_.push_back({-1, -1, -1, first});
    }
    std::int32_t at = roots_[first];
    for (const char c : std::string_view(content).substr(1)) {
      const auto byte = static_cast<unsigned char>(c);
      std::int32_t next = step(at, byte);
      if (next < 0) {
        next = static_cast<std::int32_t>(nodes_.size());
        nodes_.push_back({-1, -1, nodes_[static_cast<std::size_t>(at)].child, byte});
        nodes_[static_cast<std::size_t>(at)].child = next;
      }
      at = next;
    }
    nodes_[static_cast<std::size_t>(at)].token = static_cast<std::int32_t>(i);
    if (tokens_[i].single_word && word_.empty()) word_.push_back(*Pattern::compile(word_character_class()));
  }
}

std::int32_t AddedTokens::step(std::int32_t node, unsigned char byte) const {
  std::int32_t child = nodes_[static_cast<std::size_t>(node)].child;
  while (child >= 0 && nodes_[static_cast<std::size_t>(child)].byte != byte) {
    child = nodes_[static_cast<std::size_t>(child)].sibling;
  }
  return child;
}

std::int32_t AddedTokens::longest_at(std::string_view text) const {
  std::int32_t found = -1;
  std::int32_t node = roots_[static_cast<unsigned char>(text[0])];
  for (std::size_t i = 1; node >= 0; ++i) {
    if (nodes_[static_cast<std::size_t>(node)].token >= 0) found = nodes_[static_cast<std::size_t>(node)].token;
    if (i >= text.size()) break;
    node = step(node, static_cast<unsigned char>(text[i]));
  }
  return found;
}

std::vector<Piece> AddedTokens::cut(std::string_view text) const {
  std::vector<Piece> out;
  std::vector<Matcher> word;
  for (const Pattern& pattern : word_) word.emplace_back(pattern);
  const auto in_word = [&](std::size_t at) { return word.front().begins(text.substr(at)); };
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size() && !tokens_.empty();) {
    const std::int32_t found = longest_at(text.substr(at));
    if (found < 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<std::size_t>(found)];
    std::size_t begin = at, end = at + token.content.size();
    at = end;
    if (token.single_word) {
      const bool alone = (begin == 0 || !in_word(before(text, begin))) && (end == text.size() || !in_word(end));
      if (!alone) continue;
    }
    if (token.lstrip) begin = std::max(without_blanks_at_end(text, begin), done);
    if (token.rstrip) end = after_blanks(text, end);
    if (done < begin) out.push_back({-1, {done, begin}});
    out.push_back({token.id, {begin, end}});
    done = end;
  }
  if (done < text.size()) out.push_back({-1, {done, text.size()}});
  return out;
}

}  // namespace engine
