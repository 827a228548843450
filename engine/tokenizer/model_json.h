// The vocabulary, merges and added tokens of a tokenizer.json. Include only in .cpp files.
#pragma once

#include "engine/tokenizer/json_fields.h"
#include "engine/tokenizer/tokenizer.h"

namespace engine::tokenizer_json {

// Each throws Refused.
Bpe read_model(const Json& model);
// Their ids are those that Hugging Face gives them, whatever the file says; where the two differ, the file is refused.
std::vector<AddedToken> read_added(const Json& list, const Bpe& bpe);

}  // namespace engine::tokenizer_json
