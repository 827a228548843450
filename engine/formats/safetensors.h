// Reads safetensors files: an 8-byte header length, a JSON header, the tensors' bytes. Everything the header says is
// checked against the file before it is believed; memory use is bounded by the header's size. Any thread.
#pragma once

#include "engine/formats/tensor_file.h"

namespace engine {

// Maps the file and checks it. Errors (input): the file cannot be opened, or breaks a rule of the format: header longer
// than 100 MB or than the file, not JSON, nested deeper than the format, a name twice, an unknown type, a shape that
// overflows or does not match the bytes, tensors that overlap, leave holes, or end before or after the file does.
Result<TensorFile> read_safetensors(const std::string& path);

// The same on bytes in memory, which must outlive the result; `where` names them in errors.
Result<TensorFile> parse_safetensors(std::span<const std::byte> file, const std::string& where);

// The same for a file whose end may be missing: tensors keep their shapes and hold the bytes that are there, which may be
// fewer than the shape needs, or none. Everything else is checked as above.
Result<TensorFile> parse_cut_safetensors(std::span<const std::byte> file, const std::string& where);

}  // namespace engine
