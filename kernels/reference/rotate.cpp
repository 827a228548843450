#include "kernels/rotate/rotate.h"

#include "kernels/norm/norm.h"
#include "kernels/reference/reference.h"
#include "kernels/scalar.h"

namespace kernels::reference {
namespace {

// out = RMSNorm(raw) * weight + changed bias, then turned by the head's angles.
void norm_bias_rotate(const RotateArgs<double>& args, const double* raw, const float* weight, const float* bias,
                      const Affine<float>& change, const double* angle, double* out) {
  const int n_count = args.d_state;
  double squares = 0;
  for (int n = 0; n < n_count; ++n) squares += raw[n] * raw[n];
  const double scale = 1 / std::sqrt(squares / n_count + norm_epsilon);
  for (int n = 0; n < n_count; ++n) {
    out[n] = raw[n] * scale * static_cast<double>(weight[n]) + changed(change, static_cast<double>(bias[n]));
  }
  for (int i = 0; i < args.angles; ++i) {
    double& first = out[args.half_pairs ? i : 2 * i];
    double& second = out[args.half_pairs ? i + n_count / 2 : 2 * i + 1];
    const double a = first;
    const double b = second;
    first = a * std::cos(angle[i]) - b * std::sin(angle[i]);
    second = a * std::sin(angle[i]) + b * std::cos(angle[i]);
  }
}

}  // namespace

void rotate(const RotateArgs<double>& args) {
  const std::ptrdiff_t n_count = args.d_state;
  for (std::ptrdiff_t s = 0; s < args.batch; ++s) {
    for (std::ptrdiff_t h = 0; h < args.heads; ++h) {
      const std::ptrdiff_t head = s * args.heads + h;
      double* angle = args.angle + head * args.angles;
      for (int i = 0; i < args.angles; ++i) {
        const std::ptrdiff_t at = head * args.angles + i;
        const double* turns = args.turn + s * args.angles;
        const double advance = args.changes.pairs == nullptr
                                   ? turns[i] * args.dt[head]
                                   : changed_advance(args.changes.pairs[at], turns, args.dt[head]);
        angle[i] = wrap_angle<double>(angle[i] + advance, args.turns[at]);
      }
      const std::ptrdiff_t group = h / (args.heads / args.groups);
      for (std::ptrdiff_t r = 0; r < args.rank; ++r) {
        const std::ptrdiff_t raw = s * args.stride + (r * args.groups + group) * n_count;
        const std::ptrdiff_t bias = (h * args.rank + r) * n_count;
        const std::ptrdiff_t out = ((s * args.rank + r) * args.heads + h) * n_count;
        const RankChange change =
            args.changes.ranks == nullptr ? RankChange() : args.changes.ranks[head * args.rank + r];
        norm_bias_rotate(args, args.b + raw, args.b_norm, args.b_bias + bias, change.b_bias, angle, args.k + out);
        norm_bias_rotate(args, args.c + raw, args.c_norm, args.c_bias + bias, change.c_bias, angle, args.q + out);
      }
    }
  }
}

}  // namespace kernels::reference
