#include "kernels/discretisation_errors/discretisation_errors.h"

#include "kernels/discretisation_errors/step_weights.h"
#include "kernels/reference/reference.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

namespace kernels::reference {
namespace {

using Complex = std::complex<double>;
using discretisation::Step;
using discretisation::Weights;

Step step_at(double re, double im) {
  if (discretisation::near_zero(re, im)) return discretisation::step_by_series(re, im);
  const Complex decay = std::exp(Complex(re, im));
  return discretisation::step_in_closed_form(re, im, decay.real(), decay.imag());
}

double weighed(const Weights& c, Complex before, Complex now) {
  return std::norm(Complex(c.before_re, c.before_im) * before + Complex(c.now_re, c.now_im) * now);
}

// Row p of u for one pair of channels, the ranks summed.
Complex input(const DiscretisationErrorsArgs<double>& args, const double* k, const double* x, std::ptrdiff_t s,
              std::ptrdiff_t h, std::ptrdiff_t p, int pair) {
  const int first = args.half_pairs ? pair : 2 * pair, second = args.half_pairs ? pair + args.d_state / 2 : first + 1;
  Complex sum = 0;
  for (std::ptrdiff_t r = 0; r < args.rank; ++r) {
    const double mix =
        args.mimo_x != nullptr ? static_cast<double>(args.mimo_x[(h * args.rank + r) * args.headdim + p]) : 1.0;
    const Affine<float> write = args.changes.ranks == nullptr
                                    ? Affine<float>()
                                    : args.changes.ranks[(s * args.heads + h) * args.rank + r].write;
    const double* key = k + ((s * args.rank + r) * args.heads + h) * args.d_state;
    sum += changed(write, mix * x[(s * args.heads + h) * args.headdim + p]) * Complex(key[first], key[second]);
  }
  return sum;
}

}  // namespace

// Every element of the terms by itself: no norm is made of norms.
void discretisation_errors(const DiscretisationErrorsArgs<double>& args) {
  for (std::ptrdiff_t s = 0; s < args.batch; ++s) {
    for (std::ptrdiff_t h = 0; h < args.heads; ++h) {
      const std::ptrdiff_t head = s * args.heads + h;
      const double dt = args.dt[head], decay = args.a[head] * dt;
      const double lambdas[] = {1.0, 0.5, args.lambda[head]};
      double exact[2] = {0, 0}, errors[2][3] = {{0, 0, 0}, {0, 0, 0}};
      for (int i = 0; i < args.d_state / 2; ++i) {
        const double* turns = args.turn + s * args.angles;
        double increment = i < args.angles ? dt * turns[i] : 0;
        if (args.changes.pairs != nullptr && i < args.angles)
          increment = changed_advance(args.changes.pairs[head * args.angles + i], turns, dt);
        const Step steps[] = {step_at(decay, 0), step_at(decay, -increment)};
        const Complex turn = std::polar(1.0, increment);
        for (std::ptrdiff_t p = 0; p < args.headdim; ++p) {
          const Complex before = input(args, args.k_before, args.x_before, s, h, p, i);
          const Complex now = input(args, args.k, args.x, s, h, p, i);
          for (std::size_t frame = 0; frame < 2; ++frame) {
            // In the un-rotated frame the last key has turned by one increment less; a phase of both does not count.
            const Complex seen = frame == 0 ? before : turn * before;
            exact[frame] += weighed(steps[frame].exact, seen, now);
            for (std::size_t rule = 0; rule < 3; ++rule) {
              errors[frame][rule] += weighed(error_weights(steps[frame], lambdas[rule]), seen, now);
            }
          }
        }
      }
      for (std::size_t frame = 0; frame < 2; ++frame) {
        for (std::size_t rule = 0; rule < 3; ++rule) {
          const bool any = exact[frame] > 0;
          args.errors[head * errors_per_head + static_cast<std::ptrdiff_t>(3 * frame + rule)] =
              any ? std::sqrt(errors[frame][rule] / exact[frame]) : std::numeric_limits<double>::quiet_NaN();
        }
      }
    }
  }
  std::copy_n(args.k, static_cast<std::ptrdiff_t>(args.batch) * args.rank * args.heads * args.d_state, args.k_before);
  std::copy_n(args.x, static_cast<std::ptrdiff_t>(args.batch) * args.heads * args.headdim, args.x_before);
}

}  // namespace kernels::reference
