// What stands between the matrix products of a step. A product takes bf16 vectors, and an fp32 value does not fit one: it
// is split into two, its rounding and what the rounding lost, so that value = high + low to 16 bits of mantissa. Both are
// multiplied side by side (2 B vectors) and the products added where they are used, so that activations keep fp32's
// accuracy at bf16's speed. Widths are multiples of 8, arrays start at multiples of 16 bytes. All pointers are device
// addresses; functions return a CUDA error code.
#pragma once

#include "kernels/fused/fused.h"
#include "kernels/fused/fused_projection.h"
#include "kernels/fused/last_keys.h"

#include <cstddef>

namespace kernels {

// residual += the pending product, if any; parts = the two parts of RMSNorm(residual).
struct NormPartsArgs {
  int batch = 1;
  int width = 0;                   // d
  float* residual = nullptr;       // (B, d) in and out
  const float* pending = nullptr;  // (pieces, B, d): a product that is still to be added up; may be null
  int pieces = 2;                  // 2 or 4
  const float* weight = nullptr;   // (d)
  void* parts = nullptr;           // (2 B, d) bf16: high, then low
};

// parts = the two parts of v silu(g), value rows first and gate rows second in each vector of the product.
struct GatePartsArgs {
  int batch = 1;
  int width = 0;                   // of the MLP
  const float* product = nullptr;  // (2 B, 2 width)
  void* parts = nullptr;           // (2 B, width) bf16
};

// The coefficient rows of the input projection's product. The rows before them, those of the keys and queries that all heads
// of a sequence read, become whole in the first half of the product.
struct CoefficientPartsArgs {
  int batch = 1;
  int rows = 0;              // of the input projection
  float* product = nullptr;  // (2 B, rows) in and out
  CoefficientRows coefficients;
  int first_key = 0;   // row
  int keys = 0;        // rows of keys, R G N; behind them those of queries
  LastKeys last_keys;  // null, or `now` becomes `last` and takes this token's keys
};

namespace device {

int norm_parts(const NormPartsArgs& args, const Placement& placement);
int gate_parts(const GatePartsArgs& args, const Placement& placement);
int coefficient_parts(const CoefficientPartsArgs& args, const Placement& placement);

}  // namespace device

}  // namespace kernels
