// Products of a bf16 matrix and up to 128 fp32 vectors that come as two bf16 parts each (kernels/product/parts.h), on the
// tensor cores of compute capability 9.0: both parts meet the same tile of weights in shared memory and add to the same
// sums. Not for more vectors or other devices: kernels/product/matrix_products.h. A sequence's bits do not depend on the
// batch. Work is queued and not waited for; functions return a CUDA error code.
#pragma once

#include "kernels/fused/fused.h"
#include "kernels/matrix.h"

namespace kernels {

struct NarrowProductArgs {
  Matrix matrix;                // (rows, cols) bf16
  int batch = 1;                // B
  const void* parts = nullptr;  // (2 B, cols) bf16: high, then low
  // The columns may be divided, so that all multiprocessors have work where rows are few: each piece has sums of its own,
  // to be added where they are used.
  int pieces = 1;
  float* out = nullptr;  // (pieces, B, rows)
  // In place of `out`, for rows that are values and gates (the lower half): the parts of v silu(g). One piece.
  void* gated = nullptr;  // (2 B, rows / 2) bf16
};

inline constexpr int most_narrow_vectors = 128;

namespace device {

// Whether there is code for this device of compute capability major.minor.
bool narrow_product_runs_on(int major, int minor);
// All arrays start at multiples of 16 bytes, rows of the matrix are whole 16-byte pieces, gated rows a multiple of 16.
int narrow_product(const NarrowProductArgs& args, const Placement& placement);

}  // namespace device

}  // namespace kernels
