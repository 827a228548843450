// The scalars of a step, one thread per head or angle. In double: there are few of them, everything that follows is
// scaled by them, and 1 - lambda must not cancel.
#include "kernels/coefficients/coefficients.h"
#include "kernels/coefficients/scalars.cuh"
#include "kernels/device/launch.h"

#include <cuda_runtime.h>

#include <algorithm>

namespace kernels::device {

namespace {

constexpr int block_size = 128;

using coefficient::heavy_tail, coefficient::pi, coefficient::sigmoid, coefficient::softplus;

__global__ void __launch_bounds__(block_size) coefficients_kernel(const CoefficientsArgs<float> args) {
  const int i = static_cast<int>(blockIdx.x) * block_size + static_cast<int>(threadIdx.x);
  const int b = static_cast<int>(blockIdx.y);
  const std::size_t from = static_cast<std::size_t>(b) * args.stride + i;
  if (i < args.heads) {
    const std::size_t to = static_cast<std::size_t>(b) * args.heads + i;
    const double dd_a = args.dd_a[from];
    double dt = softplus(static_cast<double>(args.dd_dt[from]) + static_cast<double>(args.dt_bias[i]));
    double a = fmin(-(args.softplus_a ? softplus(dd_a) : heavy_tail(dd_a)), -args.a_floor);
    const double trap = args.trap[from];
    const bool fixed = args.lambda_override >= 0.0;
    double lambda = fixed ? args.lambda_override : sigmoid(trap);
    double rest = fixed ? 1.0 - args.lambda_override : sigmoid(-trap);  // 1 - lambda
    if (args.changes.heads != nullptr) {
      const HeadChange& change = args.changes.heads[to];
      dt = changed_dt(change, dt);
      a = changed_a(change, a);
      rest = changed_rest(change, lambda, rest);
      lambda = changed_lambda(change, lambda);
    }
    const double alpha = exp(a * dt);
    args.dt[to] = static_cast<float>(dt);
    args.a[to] = static_cast<float>(a);
    args.lambda[to] = static_cast<float>(lambda);
    args.alpha[to] = static_cast<float>(alpha);
    args.beta[to] = static_cast<float>(rest * dt * alpha);
    args.gamma[to] = static_cast<float>(lambda * dt);
  }
  if (i < args.angles) {
    const std::size_t to = static_cast<std::size_t>(b) * args.angles + i;
    args.turn[to] = static_cast<float>(pi * tanh(static_cast<double>(args.angle[from])));
  }
}

}  // namespace

int coefficients(const CoefficientsArgs<float>& args, StreamHandle stream) {
  const int width = std::max(args.heads, args.angles);
  const dim3 grid(static_cast<unsigned>((width + block_size - 1) / block_size), static_cast<unsigned>(args.batch));
  coefficients_kernel<<<grid, block_size, 0, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace kernels::device
