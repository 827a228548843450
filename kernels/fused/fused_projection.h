// A projection (kernels/projection) with what stands before and after it in the model folded in: the RMSNorm of its input,
// the residual addition, the gate, and the coefficients that the input projection's last rows are for. For the few
// sequences of a batch that one pass over the weights can serve; it reads the weights once and is bound by that.
#pragma once

#include "kernels/intervention/intervention.h"
#include "kernels/projection/projection.h"

#include <cstddef>

namespace kernels {

// The rows of the input projection from dd_dt on: (H) dd_dt, (H) dd_A, (H) trap, (S) angle. Equations:
// kernels/coefficients/coefficients.h; `rest` is 1 - lambda, computed without cancellation.
struct CoefficientRows {
  int first = -1;  // row of the matrix; -1: none
  int heads = 0;   // H
  int angles = 0;  // S
  bool softplus_a = false;
  double a_floor = 1e-4;
  double lambda_override = -1;          // in [0, 1]: takes the place of sigmoid(trap); negative: none
  const HeadChange* changes = nullptr;  // (B, H): of dt, A and lambda; may be null
  const float* dt_bias = nullptr;       // (H)
  float* dt = nullptr;                  // (B, H)
  float* a = nullptr;                   // (B, H)
  float* lambda = nullptr;              // (B, H)
  float* rest = nullptr;                // (B, H)
  float* turn = nullptr;                // (B, S)
};

struct FusedProjectionArgs {
  ProjectionArgs<float> projection;
  const float* norm = nullptr;  // (cols): the input is RMSNorm(in) with this weight; null: the input as it is
  CoefficientRows coefficients;
  const void* next = nullptr;  // what a later kernel reads, to be brought into L2 meanwhile; may be null
  std::size_t next_bytes = 0;
};

}  // namespace kernels
