// tokenizer.json, the file of Hugging Face `tokenizers`: hostile text to a tokenizer that gives the same ids, or to a
// refusal that names what is not done. Nothing that could move an id is skipped over.
#pragma once

#include "engine/base/result.h"
#include "engine/tokenizer/tokenizer.h"

#include <memory>
#include <string>
#include <string_view>

namespace engine {

// Done: model BPE (also ignore_merges, byte_fallback, unk_token, fuse_unk); normalizer none or NFC; pre_tokenizer
// ByteLevel, Split by a regular expression or a text (Isolated, Removed), a sequence of those, or none; post_processor
// TemplateProcessing, ByteLevel, a sequence of those, or none; decoder ByteLevel, ByteFallback, or Fuse behind one; added
// tokens. Errors (input): all else, by name; a token or an id twice, ids beyond 4,194,303, a merge of what is no token; more
// than 1,048,576 tokens, 2,097,152 merges, 65,536 added tokens, or 4,096 bytes a token. `where` names the text in errors.
Result<std::shared_ptr<const Tokenizer>> parse_tokenizer(std::string_view text, const std::string& where);

// Files of at most 64 MiB.
Result<std::shared_ptr<const Tokenizer>> read_tokenizer(const std::string& path);

}  // namespace engine
