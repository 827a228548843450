// Writes safetensors files, for models and recordings. The header is padded so that every tensor is aligned for its type
// when the file is mapped. Any thread.
#pragma once

#include "engine/formats/tensor_file.h"

#include <map>
#include <span>
#include <string>

namespace engine {

// Writes the tensors (row-major bytes) and metadata to `path`, first to a temporary file beside it that then takes its
// place, so that nobody sees half a file and an older file survives a failure. Errors: input, when a name is there twice
// or a tensor's bytes do not match its shape and type; system, when the file cannot be written.
Result<void> write_safetensors(const std::string& path, std::span<const Tensor> tensors,
                               const std::map<std::string, std::string>& metadata = {});

}  // namespace engine
