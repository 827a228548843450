// Named tensors of a file, checked against the file's bounds: what every reader of weights and recordings hands out,
// whatever the container. Values are looked at in place; the tensor file keeps them alive.
#pragma once

#include "engine/base/result.h"
#include "engine/formats/mapped_file.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

enum class TensorType : std::uint8_t {
  boolean,
  u8,
  i8,
  f8_e4m3,
  f8_e5m2,
  u16,
  i16,
  f16,
  bf16,
  u32,
  i32,
  f32,
  u64,
  i64,
  f64
};

// The name as safetensors writes it, e.g. "BF16".
const char* name_of(TensorType type);
std::optional<TensorType> tensor_type_named(std::string_view name);
std::size_t size_of(TensorType type);

struct Tensor {
  std::string name;
  TensorType type = TensorType::f32;
  std::vector<std::int64_t> shape;   // empty: a scalar
  std::span<const std::byte> bytes;  // row-major, little-endian; not necessarily aligned for its type

  std::int64_t count() const;
};

struct TensorFile {
  std::vector<Tensor> tensors;  // sorted by name, names unique
  std::map<std::string, std::string> metadata;
  std::shared_ptr<const void> backing;  // keeps the bytes alive
  MappedFiles files;                    // to ask whether they are still whole
  std::uint64_t file_bytes = 0;

  const Tensor* find(std::string_view name) const;  // null: not there
};

// "[64, 128]".
std::string text_of(std::span<const std::int64_t> shape);

// All values as fp32: F32 as they are, F16 and BF16 widened exactly. Error: another type.
Result<std::vector<float>> to_floats(const Tensor& tensor);
// All values as 64-bit integers. Error: not an integer type, or U64, which does not fit.
Result<std::vector<std::int64_t>> to_integers(const Tensor& tensor);
// Values that are NaN or infinite; 0 for integer types.
std::int64_t count_not_finite(const Tensor& tensor);

// IEEE binary16 and bfloat16 bits as fp32, exactly.
float widen_f16(std::uint16_t bits);
float widen_bf16(std::uint16_t bits);

}  // namespace engine
