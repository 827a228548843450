// Reads the weights that torch.save wrote (pytorch_model.bin): a zip archive with a pickle that names the tensors and one
// entry of bytes for each storage. Nothing in it is run. Any thread.
#pragma once

#include "engine/formats/tensor_file.h"

namespace engine {

// Maps the file and checks it. Tensors stay where the file is mapped, shared where they share a storage; one whose
// elements do not lie in order (a transposed view) is copied in order. Errors (input): the file cannot be opened; what
// parse_zip and parse_state_dict refuse; a TorchScript archive, one without data.pkl or of another byte order; a storage
// that is absent or of another size than the pickle says; a tensor that reaches beyond its storage; views out of order
// that would together take more bytes than the file, or than 2 GiB. The format of PyTorch before 1.6 and a pickle alone are recognised
// and refused with the remedy.
Result<TensorFile> read_torch_file(const std::string& path);

// The same on bytes in memory, which must outlive the result; `where` names them in errors.
Result<TensorFile> parse_torch_file(std::span<const std::byte> file, const std::string& where);

// Whether the bytes begin as an archive of torch.save does, or as one of its older formats or a pickle does.
bool looks_like_torch(std::span<const std::byte> file);

}  // namespace engine
