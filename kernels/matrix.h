// A weight matrix that somebody else owns, on the host or on the device: row-major, contiguous.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kernels {

enum class DType : std::uint8_t { f32, f16, bf16 };

constexpr std::size_t size_of(DType dtype) { return dtype == DType::f32 ? 4 : 2; }
constexpr const char* name_of(DType dtype) {
  return dtype == DType::f32 ? "fp32" : dtype == DType::f16 ? "fp16" : "bf16";
}

struct Matrix {
  const void* data = nullptr;  // (rows, cols)
  DType dtype = DType::f32;
  int rows = 0;
  int cols = 0;

  std::size_t bytes() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols) * size_of(dtype); }
};

}  // namespace kernels
