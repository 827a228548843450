// Matrices of random weights, element by element from a counter: any element can be drawn anywhere, by any thread, on the
// host or on the device, with the same bits. Generator: SplitMix64 (Steele, Lea, Flood 2014), whose state after i draws is
// the start plus i times a constant. Not for: sampling tokens.
#pragma once

#include "kernels/device/stream.h"
#include "kernels/matrix.h"

#include <cstdint>

namespace kernels {

constexpr std::uint64_t golden_gamma = 0x9E3779B97F4A7C15U;

// SplitMix64's output function.
constexpr std::uint64_t mix_bits(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

// In [0, 1), a multiple of 2^-53.
constexpr double uniform_of(std::uint64_t bits) { return static_cast<double>(bits >> 11U) * 0x1.0p-53; }

// Near normal with unit variance: a sum of four 16-bit uniforms. No transcendental, so the same bits everywhere.
constexpr double normal_of(std::uint64_t bits) {
  const auto sum =
      static_cast<double>((bits & 0xFFFFU) + (bits >> 16U & 0xFFFFU) + (bits >> 32U & 0xFFFFU) + (bits >> 48U));
  return (sum - 2.0 * 65535.0) * (1.7320508075688772 / 65536.0);
}

// How the elements of one matrix are drawn.
struct RandomFill {
  enum class Kind : std::uint8_t { normal, uniform };  // deviation `scale`, or uniform in [-scale, scale)
  Kind kind = Kind::normal;
  double scale = 1;
  std::uint64_t start = 0;  // of the matrix's own stream

  // The element at this place of the row-major matrix, before it is rounded to the matrix's dtype (to nearest, even).
  constexpr float operator()(std::uint64_t index) const {
    const std::uint64_t bits = mix_bits(start + golden_gamma * (index + 1));
    return static_cast<float>(kind == Kind::normal ? scale * normal_of(bits) : scale * (2 * uniform_of(bits) - 1));
  }
};

namespace device {

// Fills a matrix in device memory; `data` starts at a multiple of 16 bytes. Queued, not waited for. A CUDA error code.
int random_fill(void* data, const Matrix& shape, const RandomFill& fill, StreamHandle stream);

}  // namespace device

}  // namespace kernels
