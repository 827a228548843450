// Between what a user types and token ids: symbols for a model that has them, the text itself where tokens are bytes or
// there is a tokenizer, else numbers. Pure.
#pragma once

#include "engine/model/model.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

// Ids of a prompt: written in the model's symbols, as text, or as numbers between blanks or commas where it has no symbols. Error
// (input): what is wrong and where. `special`: with the tokens that a tokenizer puts around every text.
engine::Result<std::vector<std::int32_t>> read_prompt(const engine::Model& model, const std::string& text,
                                                      bool special = true);

// Whether ids begin with the special tokens that the model's tokenizer puts before every text.
bool begins_with_special(const engine::Model& model, const std::vector<std::int32_t>& ids);

// The reverse, as the prompt editor shows what was consumed and what is to come; without those special tokens.
std::string write_prompt(const engine::Model& model, const std::vector<std::int32_t>& ids);

// A text on one line: its line breaks and tabs as the marks that a vocabulary of bytes has for them.
std::string on_one_line(const std::string& text);

}  // namespace app
