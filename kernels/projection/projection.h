// Products of a weight matrix and an activation vector, one per sequence. The weights are read in their stored dtype
// and widened exactly; accumulation is in T: float on the device and in the CPU backend, double in the reference.
#pragma once

#include "kernels/matrix.h"

#include <cstdint>

namespace kernels {

enum class ProjectionMode : std::uint8_t {
  store,       // out = W in
  accumulate,  // out += W in
  gated,       // out[i] = v[i] silu(v[rows/2 + i]) with v = W in: value rows first, gate rows second
};

template <class T>
struct ProjectionArgs {
  int batch = 1;
  ProjectionMode mode = ProjectionMode::store;
  Matrix weight;          // (rows, cols)
  const T* in = nullptr;  // (B, cols)
  T* out = nullptr;       // (B, out_width())

  int out_width() const { return mode == ProjectionMode::gated ? weight.rows / 2 : weight.rows; }
};

}  // namespace kernels
