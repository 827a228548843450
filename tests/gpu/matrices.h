// Random weight matrices in every dtype, on the host and on the device.
#pragma once

#include "kernels/matrix.h"
#include "tests/gpu/twin.h"

#include <cstdint>
#include <cstring>
#include <vector>

namespace gpu_test {

// The upper bits of fp32 as bf16, and a value with few bits as fp16: exact by construction.
inline std::uint16_t to_bf16_bits(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, 4);
  return static_cast<std::uint16_t>(bits >> 16U);
}

class TestMatrix {
 public:
  // Values in [-1, 1). `skew` bytes before the first row break the alignment of the device copy.
  TestMatrix(Random& random, kernels::DType dtype, int rows, int cols, std::size_t skew = 0)
      : dtype_(dtype), rows_(rows), cols_(cols), skew_(skew), bytes_(make(random)), device_(bytes_) {}

  kernels::Matrix host() const { return {bytes_.data() + skew_, dtype_, rows_, cols_}; }
  kernels::Matrix device() const { return {device_.data() + skew_, dtype_, rows_, cols_}; }

 private:
  std::vector<std::uint8_t> make(Random& random) const {
    const std::size_t count = static_cast<std::size_t>(rows_) * static_cast<std::size_t>(cols_);
    const std::size_t size = kernels::size_of(dtype_);
    std::vector<std::uint8_t> bytes(skew_ + count * size);
    for (std::size_t i = 0; i < count; ++i) {
      const float value = random.uniform(-1, 1);
      const auto half = static_cast<_Float16>(value);
      const std::uint16_t bf16 = to_bf16_bits(value);
      const void* from = dtype_ == kernels::DType::f32   ? static_cast<const void*>(&value)
                         : dtype_ == kernels::DType::f16 ? static_cast<const void*>(&half)
                                                         : static_cast<const void*>(&bf16);
      std::memcpy(bytes.data() + skew_ + i * size, from, size);
    }
    return bytes;
  }

  kernels::DType dtype_;
  int rows_, cols_;
  std::size_t skew_;
  std::vector<std::uint8_t> bytes_;
  Array<std::uint8_t> device_;
};

}  // namespace gpu_test
