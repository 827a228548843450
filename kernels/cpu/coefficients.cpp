#include "kernels/coefficients/coefficients.h"

#include "kernels/cpu/table.h"
#include "kernels/scalar.h"

#include <algorithm>

namespace kernels::cpu {

// Scalars are computed in double and rounded once: a rounding that always goes the same way, such as that of pi, would
// add up in the angle, which is a sum over all tokens.
void coefficients(const CoefficientsArgs<float>& args) {
  for (int s = 0; s < args.batch; ++s) {
    const std::ptrdiff_t in = static_cast<std::ptrdiff_t>(s) * args.stride;
    for (int h = 0; h < args.heads; ++h) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(s) * args.heads + h;
      const double dd_a = args.dd_a[in + h];
      double dt = softplus(static_cast<double>(args.dd_dt[in + h]) + static_cast<double>(args.dt_bias[h]));
      double a = std::min(-(args.softplus_a ? softplus(dd_a) : heavy_tail(dd_a)), -args.a_floor);
      double lambda =
          args.lambda_override >= 0 ? args.lambda_override : sigmoid(static_cast<double>(args.trap[in + h]));
      if (args.changes.heads != nullptr) {
        const HeadChange& change = args.changes.heads[at];
        dt = changed_dt(change, dt), a = changed_a(change, a), lambda = changed_lambda(change, lambda);
      }
      const double alpha = std::exp(a * dt);
      args.dt[at] = static_cast<float>(dt);
      args.a[at] = static_cast<float>(a);
      args.lambda[at] = static_cast<float>(lambda);
      args.alpha[at] = static_cast<float>(alpha);
      args.beta[at] = static_cast<float>((1 - lambda) * dt * alpha);
      args.gamma[at] = static_cast<float>(lambda * dt);
    }
    for (int i = 0; i < args.angles; ++i) {
      args.turn[static_cast<std::ptrdiff_t>(s) * args.angles + i] =
          static_cast<float>(pi * std::tanh(static_cast<double>(args.angle[in + i])));
    }
  }
}

}  // namespace kernels::cpu
