// What a fuzzer feeds to each parser. Each takes arbitrary bytes, parses them, and looks at every value that the parser
// hands out, so that a sanitizer sees whatever is wrong. The unit tests run the corpora through the same functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace fuzz {

// True when the parser took the bytes.
bool safetensors(std::span<const std::uint8_t> bytes);
bool config_json(std::span<const std::uint8_t> bytes);
bool task_json(std::span<const std::uint8_t> bytes);
// A zip archive; a file of torch.save; the pickle inside one, put into an archive with storages '0' to '3' of 64 bytes.
bool zip_archive(std::span<const std::uint8_t> bytes);
bool torch_file(std::span<const std::uint8_t> bytes);
bool state_dict(std::span<const std::uint8_t> bytes);
bool shard_index(std::span<const std::uint8_t> bytes);
// A config.json, a zero byte, then a safetensors file: joined as the loader does.
bool model(std::span<const std::uint8_t> bytes);

// A tokenizer.json, then perhaps a zero byte and a text, which is encoded and decoded. A text, for a tokenizer of every byte
// with the pattern of Llama 3: comes back as it was.
bool tokenizer_json(std::span<const std::uint8_t> bytes);
bool tokenizer_text(std::span<const std::uint8_t> bytes);

// A recorded profile, as the program opens it.
bool profile(std::span<const std::uint8_t> bytes);
// Those of a shape at several ranks in one file.
bool profile_family(std::span<const std::uint8_t> bytes);
// What is packed in one: its header, a zero byte, its columns.
bool profile_unpacked(std::span<const std::uint8_t> bytes);

// Recorded tokens: a finished file, or a journal.
bool recording(std::span<const std::uint8_t> bytes);

}  // namespace fuzz
