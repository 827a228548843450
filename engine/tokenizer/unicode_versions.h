// Where the Unicode tables of this program's libraries and those of Hugging Face `tokenizers` are of different versions.
// A tokenizer's ids depend on what is a letter, so the same text would get other ids for characters that one of them does
// not know yet. Each table was found by asking `tokenizers` 0.23 about every code point. Plain data.
#pragma once

#include <span>

namespace engine {

struct CodeRange {
  char32_t first, last;
};

// Letters and numbers that came with Unicode 15 to 16, which its regular expressions (Oniguruma) know.
std::span<const CodeRange> new_letters();
std::span<const CodeRange> new_numbers();
// Beyond those, what `\w` has in the expressions that look around added tokens (Rust's regex): marks, mostly.
std::span<const CodeRange> new_word_characters();

// Characters whose place among combining marks, or whose composition, came after Unicode 9: its normalisation takes
// each as a character of its own, which nothing moves past or joins with.
bool unknown_to_normaliser(char32_t code);

}  // namespace engine
