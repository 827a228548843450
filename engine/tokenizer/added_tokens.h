// Tokens that are found in a text before anything else looks at it: special ones, such as <|begin_of_text|>, and whole
// words that a vocabulary was extended by. Immutable once made; threads may share one.
#pragma once

#include "engine/base/result.h"
#include "engine/tokenizer/pattern.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool special = false;
  bool single_word = false;  // only between characters that are of no word
  bool lstrip = false;       // takes the blanks before it with it
  bool rstrip = false;       // and those after it
  bool normalized = false;   // is looked for in the normalised text
};

// A piece of a text: a token that was found, or text between those.
struct Piece {
  std::int32_t id = -1;  // -1: text
  Span span;
};

class AddedTokens {
 public:
  // The contents differ and are not empty.
  explicit AddedTokens(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }
  // Cuts a text of valid UTF-8: at every place the longest token, from left to right. Empty pieces of text are left out.
  std::vector<Piece> cut(std::string_view text) const;

 private:
  struct Node {
    std::int32_t token = -1;  // index of the token that ends here
    std::int32_t child = -1, sibling = -1;
    unsigned char byte = 0;
  };

  std::int32_t step(std::int32_t node, unsigned char byte) const;
  // The longest token that the text begins with; -1: none.
  std::int32_t longest_at(std::string_view text) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;          // a trie
  std::vector<std::int32_t> roots_;  // by first byte; -1: no token begins so
  std::vector<Pattern> word_;        // what is a word's character; empty: no token asks
};

}  // namespace engine
