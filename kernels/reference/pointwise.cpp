// The families that need no product over the state: embedding, norm, coefficients, mimo_mix.
#include "kernels/reference/reference.h"
#include "kernels/scalar.h"

#include <algorithm>

namespace kernels::reference {

void embedding(const EmbeddingArgs<double>& args) {
  const std::size_t d = static_cast<std::size_t>(args.table.cols);
  for (int s = 0; s < args.batch; ++s) {
    const std::size_t row = static_cast<std::size_t>(args.ids[s]) * d;
    double* out = args.out + static_cast<std::size_t>(s) * d;
    for (std::size_t i = 0; i < d; ++i) out[i] = element(args.table, row + i);
  }
}

void norm(const NormArgs<double>& args) {
  for (int s = 0; s < args.batch; ++s) {
    const double* in = args.in + static_cast<std::ptrdiff_t>(s) * args.width;
    double* out = args.out + static_cast<std::ptrdiff_t>(s) * args.width;
    double squares = 0;
    for (int i = 0; i < args.width; ++i) squares += in[i] * in[i];
    const double scale = 1 / std::sqrt(squares / args.width + norm_epsilon);
    for (int i = 0; i < args.width; ++i) out[i] = in[i] * scale * static_cast<double>(args.weight[i]);
  }
}

void coefficients(const CoefficientsArgs<double>& args) {
  for (int s = 0; s < args.batch; ++s) {
    const std::ptrdiff_t in = static_cast<std::ptrdiff_t>(s) * args.stride;
    for (int h = 0; h < args.heads; ++h) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(s) * args.heads + h;
      const double dd_a = args.dd_a[in + h];
      double dt = softplus(args.dd_dt[in + h] + static_cast<double>(args.dt_bias[h]));
      double a = std::min(-(args.softplus_a ? softplus(dd_a) : heavy_tail(dd_a)), -args.a_floor);
      double lambda = args.lambda_override >= 0 ? args.lambda_override : sigmoid(args.trap[in + h]);
      if (args.changes.heads != nullptr) {
        const HeadChange& change = args.changes.heads[at];
        dt = changed_dt(change, dt), a = changed_a(change, a), lambda = changed_lambda(change, lambda);
      }
      const double alpha = std::exp(a * dt);
      args.dt[at] = dt;
      args.a[at] = a;
      args.lambda[at] = lambda;
      args.alpha[at] = alpha;
      args.beta[at] = (1 - lambda) * dt * alpha;
      args.gamma[at] = lambda * dt;
    }
    for (int i = 0; i < args.angles; ++i) {
      args.turn[static_cast<std::ptrdiff_t>(s) * args.angles + i] = pi * std::tanh(args.angle[in + i]);
    }
  }
}

void mimo_mix(const MimoMixArgs<double>& args) {
  const std::ptrdiff_t p_count = args.headdim;
  const std::ptrdiff_t width = args.heads * p_count;
  for (int s = 0; s < args.batch; ++s) {
    for (int h = 0; h < args.heads; ++h) {
      const Affine<float> change =
          args.changes.heads == nullptr ? Affine<float>() : args.changes.heads[s * args.heads + h].output;
      for (int p = 0; p < args.headdim; ++p) {
        double sum = 0;
        for (int r = 0; r < args.rank; ++r) {
          sum += static_cast<double>(args.mimo_o[(h * args.rank + r) * p_count + p]) *
                 args.values[(s * args.rank + r) * width + h * p_count + p];
        }
        args.out[s * width + h * p_count + p] = changed(change, sum);
      }
    }
  }
}

}  // namespace kernels::reference
