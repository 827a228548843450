#include "engine/formats/tensor_file.h"

#include "engine/base/quote.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace engine {

static_assert(std::endian::native == std::endian::little, "tensor files are little-endian and read in place");

namespace {

struct TypeRow {
  TensorType type;
  const char* name;
  std::size_t size;
};
constexpr std::array<TypeRow, 15> types = {{{TensorType::boolean, "BOOL", 1},
                                            {TensorType::u8, "U8", 1},
                                            {TensorType::i8, "I8", 1},
                                            {TensorType::f8_e4m3, "F8_E4M3", 1},
                                            {TensorType::f8_e5m2, "F8_E5M2", 1},
                                            {TensorType::u16, "U16", 2},
                                            {TensorType::i16, "I16", 2},
                                            {TensorType::f16, "F16", 2},
                                            {TensorType::bf16, "BF16", 2},
                                            {TensorType::u32, "U32", 4},
                                            {TensorType::i32, "I32", 4},
                                            {TensorType::f32, "F32", 4},
                                            {TensorType::u64, "U64", 8},
                                            {TensorType::i64, "I64", 8},
                                            {TensorType::f64, "F64", 8}}};

// Calls with each value of a tensor that may be misaligned for T.
template <class T, class F>
void for_each_value(const Tensor& tensor, F&& use) {
  const std::byte* at = tensor.bytes.data();
  for (std::size_t left = tensor.bytes.size(); left >= sizeof(T); left -= sizeof(T), at += sizeof(T)) {
    T value;
    std::memcpy(&value, at, sizeof(T));
    use(value);
  }
}

template <class T>
std::vector<std::int64_t> widen_integers(const Tensor& tensor) {
  std::vector<std::int64_t> out;
  out.reserve(tensor.bytes.size() / sizeof(T));
  for_each_value<T>(tensor, [&](T value) { out.push_back(static_cast<std::int64_t>(value)); });
  return out;
}

}  // namespace

const char* name_of(TensorType type) { return types[static_cast<std::size_t>(type)].name; }
std::size_t size_of(TensorType type) { return types[static_cast<std::size_t>(type)].size; }

std::optional<TensorType> tensor_type_named(std::string_view name) {
  for (const TypeRow& row : types) {
    if (name == row.name) return row.type;
  }
  return std::nullopt;
}

std::int64_t Tensor::count() const { return static_cast<std::int64_t>(bytes.size() / size_of(type)); }

const Tensor* TensorFile::find(std::string_view name) const {
  const auto at = std::lower_bound(tensors.begin(), tensors.end(), name,
                                   [](const Tensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return at != tensors.end() && at->name == name ? &*at : nullptr;
}

std::string text_of(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return out + "]";
}

float widen_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U); }

float widen_f16(std::uint16_t bits) {
  const std::uint32_t sign = (static_cast<std::uint32_t>(bits) & 0x8000U) << 16U;
  const std::uint32_t exponent = (bits >> 10U) & 0x1FU;
  const std::uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 0x7F800000U : (exponent + 112U) << 23U;
  return std::bit_cast<float>(sign | wide | (fraction << 13U));
}

Result<std::vector<float>> to_floats(const Tensor& tensor) {
  std::vector<float> out;
  switch (tensor.type) {
    case TensorType::f32:
      out.resize(tensor.bytes.size() / 4);
      if (!out.empty()) std::memcpy(out.data(), tensor.bytes.data(), out.size() * 4);
      return out;
    case TensorType::f16:
      out.reserve(tensor.bytes.size() / 2);
      for_each_value<std::uint16_t>(tensor, [&](std::uint16_t bits) { out.push_back(widen_f16(bits)); });
      return out;
    case TensorType::bf16:
      out.reserve(tensor.bytes.size() / 2);
      for_each_value<std::uint16_t>(tensor, [&](std::uint16_t bits) { out.push_back(widen_bf16(bits)); });
      return out;
    default:
      return input_error(fmt::format("Tensor {} has the type {}; expected F32, F16 or BF16.", in_quotes(tensor.name),
                                     name_of(tensor.type)));
  }
}

Result<std::vector<std::int64_t>> to_integers(const Tensor& tensor) {
  switch (tensor.type) {
    case TensorType::u8:
      return widen_integers<std::uint8_t>(tensor);
    case TensorType::i8:
      return widen_integers<std::int8_t>(tensor);
    case TensorType::u16:
      return widen_integers<std::uint16_t>(tensor);
    case TensorType::i16:
      return widen_integers<std::int16_t>(tensor);
    case TensorType::u32:
      return widen_integers<std::uint32_t>(tensor);
    case TensorType::i32:
      return widen_integers<std::int32_t>(tensor);
    case TensorType::i64:
      return widen_integers<std::int64_t>(tensor);
    default:
      return input_error(fmt::format("Tensor {} has the type {}; expected an integer type such as I32 or I64.",
                                     in_quotes(tensor.name), name_of(tensor.type)));
  }
}

std::int64_t count_not_finite(const Tensor& tensor) {
  std::int64_t found = 0;
  switch (tensor.type) {
    case TensorType::f32:
      for_each_value<float>(tensor, [&](float value) { found += std::isfinite(value) ? 0 : 1; });
      break;
    case TensorType::f64:
      for_each_value<double>(tensor, [&](double value) { found += std::isfinite(value) ? 0 : 1; });
      break;
    case TensorType::f16:
      for_each_value<std::uint16_t>(tensor, [&](std::uint16_t bits) { found += (bits & 0x7C00U) == 0x7C00U ? 1 : 0; });
      break;
    case TensorType::bf16:
      for_each_value<std::uint16_t>(tensor, [&](std::uint16_t bits) { found += (bits & 0x7F80U) == 0x7F80U ? 1 : 0; });
      break;
    default:
      break;
  }
  return found;
}

}  // namespace engine
