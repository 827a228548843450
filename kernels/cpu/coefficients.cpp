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
    const bool of_its_own = args.sequence_lambda != nullptr && args.sequence_lambda[s] >= 0;
    const double fixed = of_its_own ? args.sequence_lambda[s] : args.lambda_override;
    for (int h = 0; h < args.heads; ++h) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(s) * args.heads + h;
      const double dd_a = args.dd_a[in + h];
      const double dt = softplus(static_cast<double>(args.dd_dt[in + h]) + static_cast<double>(args.dt_bias[h]));
      const double a = std::min(-(args.softplus_a ? softplus(dd_a) : heavy_tail(dd_a)), -args.a_floor);
      const double lambda = fixed >= 0 ? fixed : sigmoid(static_cast<double>(args.trap[in + h]));
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
