#include "kernels/projection/projection.h"

#include "kernels/reference/reference.h"
#include "kernels/scalar.h"

#include <bit>
#include <cstdint>

namespace kernels::reference {
namespace {

double widen_f16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 0x1F;
  const int mantissa = bits & 0x3FF;
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 0x1F) return mantissa == 0 ? sign * HUGE_VAL : std::nan("");
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(mantissa + 1024, exponent - 25);
}

}  // namespace

double element(const Matrix& matrix, std::size_t index) {
  if (matrix.dtype == DType::f32) return static_cast<const float*>(matrix.data)[index];
  const std::uint16_t bits = static_cast<const std::uint16_t*>(matrix.data)[index];
  if (matrix.dtype == DType::f16) return widen_f16(bits);
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

void projection(const ProjectionArgs<double>& args) {
  const Matrix& w = args.weight;
  const auto row_times = [&](int row, const double* x) {
    const std::size_t first = static_cast<std::size_t>(row) * static_cast<std::size_t>(w.cols);
    double sum = 0;
    for (int col = 0; col < w.cols; ++col) sum += element(w, first + static_cast<std::size_t>(col)) * x[col];
    return sum;
  };
  const int width = args.out_width();
  for (int s = 0; s < args.batch; ++s) {
    const double* x = args.in + static_cast<std::ptrdiff_t>(s) * w.cols;
    double* out = args.out + static_cast<std::ptrdiff_t>(s) * width;
    for (int i = 0; i < width; ++i) {
      const double value = row_times(i, x);
      switch (args.mode) {
        case ProjectionMode::store:
          out[i] = value;
          break;
        case ProjectionMode::accumulate:
          out[i] += value;
          break;
        case ProjectionMode::gated:
          out[i] = value * silu(row_times(width + i, x));
          break;
      }
    }
  }
}

}  // namespace kernels::reference
