// A tokenizer's regular expression, rewritten for PCRE2.
//
// Tokenizers write for Oniguruma. Its syntax and PCRE2's look alike and differ in places that move ids (what \s, \v or $
// mean, which letters fold, newer letters), so an expression is read, part by part, and written anew from parts that mean
// the same in both. What is not known to mean the same is refused by name. Pure.
#pragma once

#include "engine/base/result.h"

#include <string>
#include <string_view>

namespace engine {

// Known: characters, \r \n \t \f \s \S \p{L} \P{L} \p{N} \P{N}, escaped punctuation, '.', classes of those, groups (also
// atomic), (?i:...) around ASCII letters, lookahead, alternatives, and the quantifiers ? * + {n} {n,} {n,m} with their lazy and
// possessive forms where both sides have them. `text` is valid UTF-8. Errors (input): what is not known or too long, and at
// which byte.
Result<std::string> translate_pattern(std::string_view text);

// A PCRE2 class of what is in Rust's \w.
std::string word_character_class();

// A PCRE2 expression that matches just this text.
std::string literal_pattern(std::string_view text);

}  // namespace engine
