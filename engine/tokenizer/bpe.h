// Byte pair encoding: a vocabulary, and the merges that make one of its tokens of a word. Immutable once made; threads may
// share one, each with a Merging of its own.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engine {

struct BpeOptions {
  bool ignore_merges = false;  // a word that is a token is that token, whatever the merges make of it
  bool byte_fallback = false;  // a character that is no token becomes the tokens <0x00> to <0xFF> of its bytes
  bool fuse_unknown = false;   // unknown characters side by side are one unknown token
  std::int32_t unknown = -1;   // token of an unknown character; -1: it is left out
};

// (left, right) -> token. A merge's rank is its place in the list; of one that is there twice, the last.
struct Merge {
  std::int32_t left = 0, right = 0, token = 0;
};

class Bpe {
 public:
  // `tokens`: (text, id), no text twice and no id twice. Merges name ids of these.
  Bpe(std::vector<std::pair<std::string, std::int32_t>> tokens, const std::vector<Merge>& merges,
      const BpeOptions& options);

  std::size_t size() const { return tokens_.size(); }
  // Tokens in the order of their texts.
  const std::vector<std::pair<std::string, std::int32_t>>& tokens() const { return tokens_; }
  std::int32_t find(std::string_view text) const;  // -1: no token

 private:
  friend class Merging;
  struct Right {
    std::int32_t right, rank, token;
  };
  // What (left, right) becomes; null: nothing.
  const Right* merged(std::int32_t left, std::int32_t right) const;

  std::vector<std::pair<std::string, std::int32_t>> tokens_;
  std::array<std::int32_t, 0x200> characters_{};  // token of a code point below; -1: none
  std::array<std::int32_t, 256> fallback_{};
  std::vector<std::uint32_t> rights_from_;  // (ids + 1) where the merges of a left token begin
  std::vector<Right> rights_;               // of each left token, by right
  BpeOptions options_;
};

// Encodes words, and remembers the short ones. One thread.
class Merging {
 public:
  // For words of a text of so many bytes: a short one is not worth a large memory.
  Merging(const Bpe& bpe, std::size_t text_bytes);

  // Appends the ids of a word; `word` is valid UTF-8.
  void encode(std::string_view word, std::vector<std::int32_t>& out);

 private:
  struct Symbol {
    std::int32_t token;
    std::int32_t previous, next;  // -1: none
    bool gone;
  };
  struct Candidate {
    std::int32_t rank, at, token;
  };
  struct Remembered {
    std::string word;
    std::vector<std::int32_t> ids;
  };

  void begin(std::string_view word);
  void add(std::int32_t token);
  void consider(std::int32_t left);
  void merge();

  const Bpe& bpe_;
  std::vector<Symbol> symbols_;
  std::vector<Candidate> queue_;
  std::vector<Remembered> words_;  // a word has one place, which the next one with the same place takes
};

}  // namespace engine
