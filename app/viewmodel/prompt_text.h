// Between what a user types and token ids: symbols for a model that has them, the text itself where tokens are bytes,
// else numbers. Pure.
#pragma once

#include "engine/model/model.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

// Ids of a prompt: written in the model's symbols, as text, or as numbers between blanks or commas where it has no symbols. Error
// (input): what is wrong and where.
engine::Result<std::vector<std::int32_t>> read_prompt(const engine::Model& model, const std::string& text);

// The reverse, as the prompt editor shows what was consumed and what is to come.
std::string write_prompt(const engine::Model& model, const std::vector<std::int32_t>& ids);

// A text on one line: its line breaks and tabs as the marks that a vocabulary of bytes has for them.
std::string on_one_line(const std::string& text);

}  // namespace app
