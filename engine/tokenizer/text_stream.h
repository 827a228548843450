// The text of tokens as they come. A token may end inside of a character: that one is handed out when it is whole. One
// thread; the tokenizer outlives it.
#pragma once

#include "engine/tokenizer/tokenizer.h"

#include <cstdint>
#include <string>

namespace engine {

class TextStream {
 public:
  // Null: a token's id is a byte.
  explicit TextStream(const Tokenizer* tokenizer) : tokenizer_(tokenizer) {}

  // The text that is certain with this token: valid UTF-8, bytes that begin no character as U+FFFD.
  std::string push(std::int32_t id);
  // What is left when no more come; a character that was not finished is U+FFFD.
  std::string finish();

 private:
  std::string whole_characters(bool at_end);
  std::string fallback_bytes();

  bool byte_level() const;

  const Tokenizer* tokenizer_;
  std::string waiting_;  // bytes
};

}  // namespace engine
