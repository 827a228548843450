#include "kernels/discretisation_errors/discretisation_errors.h"

#include "kernels/cpu/table.h"
#include "kernels/discretisation_errors/step_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace kernels::cpu {
namespace {

using discretisation::Products;
using discretisation::Step;

Step step_at(double re, double im, double cosine, double sine) {
  if (discretisation::near_zero(re, im)) return discretisation::step_by_series(re, im);
  const double decay = std::exp(re);
  return discretisation::step_in_closed_form(re, im, decay * cosine, decay * sine);
}

double dot(const double* a, const double* b, int count) {
  double sum[4] = {0, 0, 0, 0};  // four chains: one would wait for each addition
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int j = 0; j < 4; ++j) sum[j] += a[i + j] * b[i + j];
  }
  for (; i < count; ++i) sum[0] += a[i] * b[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// One token's input to one head: values (R, P), keys by their pairs (R, N / 2).
struct Input {
  std::vector<double> v, re, im;

  void read(const DiscretisationErrorsArgs<float>& args, const float* k, const float* x, std::ptrdiff_t s,
            std::ptrdiff_t h) {
    const std::ptrdiff_t rank = args.rank, rows = args.headdim, pairs = args.d_state / 2;
    v.resize(static_cast<std::size_t>(rank * rows));
    re.resize(static_cast<std::size_t>(rank * pairs));
    im.resize(re.size());
    x += (s * args.heads + h) * rows;
    for (std::ptrdiff_t r = 0; r < rank; ++r) {
      const Affine<float> write =
          args.changes.ranks == nullptr ? Affine<float>() : args.changes.ranks[(s * args.heads + h) * rank + r].write;
      const float* mix = args.mimo_x == nullptr ? nullptr : args.mimo_x + (h * rank + r) * rows;
      double* value = v.data() + r * rows;
      for (std::ptrdiff_t p = 0; p < rows; ++p) {
        value[p] = changed(write, mix == nullptr ? double{x[p]} : double{x[p]} * double{mix[p]});
      }
      const float* key = k + ((s * rank + r) * args.heads + h) * args.d_state;
      for (std::ptrdiff_t i = 0; i < pairs; ++i) {
        re[static_cast<std::size_t>(r * pairs + i)] = double{key[args.half_pairs ? i : 2 * i]};
        im[static_cast<std::size_t>(r * pairs + i)] = double{key[args.half_pairs ? i + pairs : 2 * i + 1]};
      }
    }
  }
};

// The products of the inputs before and now of each pair, through the Gram matrices of the values.
struct Pairs {
  std::vector<double> pp, nn, pn_re, pn_im;  // (N / 2)

  void sum(const Input& before, const Input& now, int rank, int rows, std::size_t pairs) {
    for (std::vector<double>* sums : {&pp, &nn, &pn_re, &pn_im}) sums->assign(pairs, 0);
    for (int r = 0; r < rank; ++r) {
      const std::size_t at_r = static_cast<std::size_t>(r) * pairs;
      const auto row_r = static_cast<std::ptrdiff_t>(r) * rows;
      for (int s = 0; s < rank; ++s) {
        const std::size_t at_s = static_cast<std::size_t>(s) * pairs;
        const auto row_s = static_cast<std::ptrdiff_t>(s) * rows;
        if (s >= r) {  // symmetric: once, and twice off the diagonal
          const double twice = s == r ? 1 : 2;
          add_same(before, twice * dot(before.v.data() + row_r, before.v.data() + row_s, rows), at_r, at_s, pp);
          add_same(now, twice * dot(now.v.data() + row_r, now.v.data() + row_s, rows), at_r, at_s, nn);
        }
        const double cross = dot(before.v.data() + row_r, now.v.data() + row_s, rows);
        const double *p_re = before.re.data() + at_r, *p_im = before.im.data() + at_r;
        const double *n_re = now.re.data() + at_s, *n_im = now.im.data() + at_s;
        for (std::size_t i = 0; i < pairs; ++i) {
          pn_re[i] += cross * (p_re[i] * n_re[i] + p_im[i] * n_im[i]);
          pn_im[i] += cross * (p_im[i] * n_re[i] - p_re[i] * n_im[i]);
        }
      }
    }
  }

 private:
  static void add_same(const Input& u, double gram, std::size_t r, std::size_t s, std::vector<double>& sums) {
    const double *re_r = u.re.data() + r, *im_r = u.im.data() + r, *re_s = u.re.data() + s, *im_s = u.im.data() + s;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += gram * (re_r[i] * re_s[i] + im_r[i] * im_s[i]);
  }
};

// Squared norms of the exact term and of the three errors.
struct Squares {
  double exact = 0;
  std::array<double, 3> errors{};

  void add(const Products& u, const Step& step, double lambda) {
    exact += norm_squared(u, step.exact);
    errors[0] += norm_squared(u, error_weights(step, 1));
    errors[1] += norm_squared(u, step.trapezoid);
    errors[2] += norm_squared(u, error_weights(step, lambda));
  }
  void write(float* out) const {
    for (const double error : errors) {
      *out++ = exact > 0 ? static_cast<float>(std::sqrt(std::max(0.0, error) / exact))
                         : std::numeric_limits<float>::quiet_NaN();
    }
  }
};

}  // namespace

void discretisation_errors(const DiscretisationErrorsArgs<float>& args, int begin, int end) {
  Input before, now;
  Pairs products;
  const auto pairs = static_cast<std::size_t>(args.d_state / 2);
  for (int item = begin; item < end; ++item) {
    const std::ptrdiff_t s = item / args.heads, h = item % args.heads;
    before.read(args, args.k_before, args.x_before, s, h);
    now.read(args, args.k, args.x, s, h);
    products.sum(before, now, args.rank, args.headdim, pairs);
    const double dt = double{args.dt[item]}, decay = double{args.a[item]} * dt, lambda = double{args.lambda[item]};
    // Pairs that do not turn have the same weights, so their products are summed first: in the stored frame all of them.
    Products all, still;
    Squares stored, unrotated;
    for (std::size_t i = 0; i < pairs; ++i) {
      const Products u{products.pp[i], products.nn[i], products.pn_re[i], products.pn_im[i]};
      const bool turns = static_cast<int>(i) < args.angles;
      for (Products* sum : {&all, turns ? nullptr : &still}) {
        if (sum == nullptr) continue;
        sum->pp += u.pp;
        sum->nn += u.nn;
        sum->pn_re += u.pn_re;
      }
      if (!turns) continue;
      const float* turns_of = args.turn + s * args.angles;
      const std::ptrdiff_t pair = static_cast<std::ptrdiff_t>(item) * args.angles + static_cast<std::ptrdiff_t>(i);
      const double increment = args.changes.pairs == nullptr ? dt * double{turns_of[i]}
                                                             : changed_advance(args.changes.pairs[pair], turns_of, dt);
      const double cosine = std::cos(increment), sine = std::sin(increment);
      unrotated.add(turned_back(u, cosine, sine), step_at(decay, -increment, cosine, -sine), lambda);
    }
    const Step real = step_at(decay, 0, 1, 0);
    stored.add(all, real, lambda);
    unrotated.add(still, real, lambda);
    float* out = args.errors + static_cast<std::ptrdiff_t>(item) * errors_per_head;
    stored.write(out);
    unrotated.write(out + 3);

    for (std::ptrdiff_t r = 0; r < args.rank; ++r) {
      const std::ptrdiff_t key = ((s * args.rank + r) * args.heads + h) * args.d_state;
      std::copy_n(args.k + key, args.d_state, args.k_before + key);
    }
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(item) * args.headdim;
    std::copy_n(args.x + row, args.headdim, args.x_before + row);
  }
}

}  // namespace kernels::cpu
