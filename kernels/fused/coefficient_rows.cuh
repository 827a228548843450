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
    double dt = coefficient::softplus(value + static_cast<double>(c.dt_bias[h]));
    if (c.changes != nullptr) dt = changed_dt(c.changes[at], dt);
    c.dt[at] = static_cast<float>(dt);
  } else if (kind == 1) {
    double a = fmin(-(c.softplus_a ? coefficient::softplus(value) : coefficient::heavy_tail(value)), -c.a_floor);
    if (c.changes != nullptr) a = changed_a(c.changes[at], a);
    c.a[at] = static_cast<float>(a);
  } else if (kind == 2) {
    const bool fixed = c.lambda_override >= 0.0;
    double lambda = fixed ? c.lambda_override : coefficient::sigmoid(value);
    double rest = fixed ? 1.0 - c.lambda_override : coefficient::sigmoid(-value);
    if (c.changes != nullptr) {
      rest = changed_rest(c.changes[at], lambda, rest);
      lambda = changed_lambda(c.changes[at], lambda);
    }
    c.lambda[at] = static_cast<float>(lambda);
    c.rest[at] = static_cast<float>(rest);
  } else {
    const int i = row - 3 * c.heads;
    c.turn[b * c.angles + i] = static_cast<float>(coefficient::pi * tanh(value));
  }
}

}  // namespace kernels::device
