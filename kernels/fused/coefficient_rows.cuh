// The last rows of the input projection become coefficients where they are computed. In double, as in the kernel of their
// own (kernels/coefficients): there are few of them and everything that follows is scaled by them. Device code only.
#pragma once

#include "kernels/coefficients/scalars.cuh"
#include "kernels/fused/fused_projection.h"

#include <cuda_runtime.h>

namespace kernels::device {

// Row `row` of the projection, counted from the first of the coefficients (dd_dt, dd_A, trap, angle), of sequence b.
__device__ inline void store_coefficient(const CoefficientRows& c, int row, int b, float projected) {
  const double value = projected;
  const int kind = row / c.heads;
  const int h = row - kind * c.heads;
  const int at = b * c.heads + h;
  if (kind == 0) {
    c.dt[at] = static_cast<float>(coefficient::softplus(value + static_cast<double>(c.dt_bias[h])));
  } else if (kind == 1) {
    c.a[at] = static_cast<float>(
        fmin(-(c.softplus_a ? coefficient::softplus(value) : coefficient::heavy_tail(value)), -c.a_floor));
  } else if (kind == 2) {
    double given = c.lambda_override;
    if (c.sequence_lambda != nullptr && c.sequence_lambda[b] >= 0.0) given = c.sequence_lambda[b];
    const bool fixed = given >= 0.0;
    c.lambda[at] = static_cast<float>(fixed ? given : coefficient::sigmoid(value));
    c.rest[at] = static_cast<float>(fixed ? 1.0 - given : coefficient::sigmoid(-value));
  } else {
    const int i = row - 3 * c.heads;
    c.turn[b * c.angles + i] = static_cast<float>(coefficient::pi * tanh(value));
  }
}

}  // namespace kernels::device
