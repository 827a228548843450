// The names that a pickle may ask for. They are compared, never looked up anywhere.
#pragma once

#include "engine/formats/tensor_file.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace engine {

enum class Global : std::uint8_t { ordered_dict, rebuild_tensor, storage };

struct GlobalRow {
  std::string_view module, name;
  Global global;
  TensorType type = TensorType::f32;  // of a storage's elements
};

// One object in the whole program: rows are told apart by their place in it.
inline constexpr std::array<GlobalRow, 12> known_globals = {
    {{"collections", "OrderedDict", Global::ordered_dict},
     {"torch._utils", "_rebuild_tensor_v2", Global::rebuild_tensor},
     {"torch", "FloatStorage", Global::storage, TensorType::f32},
     {"torch", "HalfStorage", Global::storage, TensorType::f16},
     {"torch", "BFloat16Storage", Global::storage, TensorType::bf16},
     {"torch", "DoubleStorage", Global::storage, TensorType::f64},
     {"torch", "LongStorage", Global::storage, TensorType::i64},
     {"torch", "IntStorage", Global::storage, TensorType::i32},
     {"torch", "ShortStorage", Global::storage, TensorType::i16},
     {"torch", "CharStorage", Global::storage, TensorType::i8},
     {"torch", "ByteStorage", Global::storage, TensorType::u8},
     {"torch", "BoolStorage", Global::storage, TensorType::boolean}}};

// A row of known_globals; null: not there.
const GlobalRow* find_global(std::string_view module, std::string_view name);

// "module.name" of the first global that is not known, in a pickle from one of its opcodes on; empty: none was found before
// its end, STOP or the first byte that is no opcode. For messages: what STACK_GLOBAL names is taken to be the last two texts.
std::string first_foreign_global(std::span<const std::byte> pickle);

}  // namespace engine
