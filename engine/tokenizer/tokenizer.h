// Text to token ids and back, as a tokenizer.json says and as Hugging Face `tokenizers` would do it: byte-level BPE.
// Immutable once made; threads may share one. Reading the file: tokenizer_json.h.
#pragma once

#include "engine/base/result.h"
#include "engine/tokenizer/added_tokens.h"
#include "engine/tokenizer/bpe.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

// One step from a text to words, done to every piece that the step before left.
struct PreTokenisation {
  bool prefix_blank = false;       // puts a blank in front of a piece that begins with none
  std::optional<Pattern> pattern;  // cuts at its matches
  bool keeps_matches = true, keeps_rest = true;
  bool to_bytes = false;  // then writes bytes in the byte alphabet
};

enum class Decoding {
  byte_level,     // a token's text in the byte alphabet stands for bytes
  byte_fallback,  // <0x00> to <0xFF> stand for bytes, all other tokens for themselves
};

struct TokenizerParts {
  Bpe bpe;
  std::vector<AddedToken> added;
  bool nfc = false;
  std::vector<PreTokenisation> steps;
  std::vector<std::int32_t> before, after;  // special tokens that a text gets
  Decoding decoding = Decoding::byte_level;
};

class Tokenizer {
 public:
  explicit Tokenizer(TokenizerParts parts);

  // The ids of a text, with the special tokens that every text gets or without; special tokens that the text itself spells
  // out are found in both cases. Errors (input): the text is not valid UTF-8 or has more than 256 MB; a pattern takes too
  // long for it.
  Result<std::vector<std::int32_t>> encode(std::string_view text, bool with_special) const;

  // What a token says: bytes that need not be valid UTF-8 by themselves. Empty where there is no token of this id.
  std::string_view bytes_of(std::int32_t id) const;
  bool has(std::int32_t id) const;
  bool is_special(std::int32_t id) const;
  // Whether the id's bytes only mean something beside others of their kind (byte fallback).
  bool is_fallback_byte(std::int32_t id) const;

  // What ids say together: invalid bytes are U+FFFD, ids without a token are left out.
  std::string decode(const std::vector<std::int32_t>& ids) const;

  std::size_t vocabulary_size() const { return parts_.bpe.size(); }
  std::int32_t largest_id() const { return static_cast<std::int32_t>(places_.size()) - 1; }
  const std::vector<AddedToken>& added() const { return parts_.added; }
  const std::vector<std::int32_t>& before() const { return parts_.before; }
  const std::vector<std::int32_t>& after() const { return parts_.after; }
  bool normalises() const { return parts_.nfc; }
  Decoding decoding() const { return parts_.decoding; }

 private:
  struct Place {
    std::uint32_t begin = 0, size = 0;
    bool there = false, special = false, fallback_byte = false;
  };

  void put(std::int32_t id, std::string_view text, bool special);

  TokenizerParts parts_;
  AddedTokens in_raw_, in_normalised_;
  std::vector<Place> places_;  // of every id's bytes
  std::string bytes_;
};

}  // namespace engine
