// The pickle inside a torch.save archive, read by a machine that knows nothing but a flat dictionary of tensors: it has
// no way to import, call or run anything. It looks up no names, opens no files and knows no archive. Any thread.
#pragma once

#include "engine/formats/tensor_file.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

// A persistent id ('storage', type, key, location, elements): bytes that lie outside of the pickle.
struct PickledStorage {
  std::string_view key;  // inside the pickle's bytes
  TensorType type = TensorType::f32;
  std::uint64_t elements = 0;
};

// torch._utils._rebuild_tensor_v2: a view of a storage. Offset and strides in elements, not yet checked against it.
struct PickledTensor {
  std::string name;  // its key in the dictionary; valid UTF-8
  PickledStorage storage;
  std::uint64_t offset = 0;
  std::vector<std::int64_t> shape;    // each at least 0
  std::vector<std::int64_t> strides;  // as many as the shape, each at least 0
};

// The tensors of a state dict as torch.save pickles it (protocol 2, also 3 to 5), sorted by name. Known globals:
// collections.OrderedDict, torch._utils._rebuild_tensor_v2 and the storage classes of torch; an OrderedDict may carry
// _metadata, which is dropped. `pickle` must outlive the result; `where` names it in errors.
// Errors (input): every other global, opcode and kind of value, by its name; a name twice; a pickle of more than 4 MiB
// or one that is truncated, asks for more than 65,536 values on the stack, 250,000 in all or 16 dimensions.
Result<std::vector<PickledTensor>> parse_state_dict(std::span<const std::byte> pickle, const std::string& where);

constexpr std::size_t longest_pickle = std::size_t{4} << 20U;

}  // namespace engine
