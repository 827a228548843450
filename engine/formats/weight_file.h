// A model's weights as named tensors, whatever container they are in. Any thread.
#pragma once

#include "engine/formats/tensor_file.h"

#include <filesystem>
#include <optional>

namespace engine {

// By the name's ending: .safetensors; .bin, .pt or .pth of torch.save; .index.json of either kind, with the files that it
// names beside it, joined. By the first bytes where the name says nothing. Errors (input): what the readers refuse; of an
// index also a file that lacks a tensor that the index places there, or holds one that the index places elsewhere.
Result<TensorFile> read_weights(const std::string& path);

// The weights of a folder: model.safetensors, else its index, else pytorch_model.bin, else its index.
std::optional<std::filesystem::path> find_weights(const std::filesystem::path& folder);

}  // namespace engine
