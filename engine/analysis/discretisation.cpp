#include "engine/analysis/discretisation.h"

#include "engine/analysis/phi_functions.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace engine {

namespace {

// What the norm of c_p u_previous + c_n u_now is made of:
// |c_p|^2 pp + |c_n|^2 nn + 2 Re(c_p conj(c_n) pn), for one pair of channels or summed over several.
struct Products {
  double pp = 0, nn = 0, pn_re = 0, pn_im = 0;

  double norm_squared(const InputWeights& c) const {
    const double p_re = c.previous.real(), p_im = c.previous.imag(), n_re = c.now.real(), n_im = c.now.imag();
    const double cross_re = p_re * n_re + p_im * n_im, cross_im = p_im * n_re - p_re * n_im;
    return (p_re * p_re + p_im * p_im) * pp + (n_re * n_re + n_im * n_im) * nn +
           2 * (cross_re * pn_re - cross_im * pn_im);
  }
};

// One token's input to one head, u = sum over ranks of v_r (x) key_r, as plain arrays: v (R, P), keys (R, N / 2).
struct HeadInput {
  std::vector<double> v, re, im;

  void read(const ModelConfig& config, const LayerWeights& weights, int head, const LayerState& layer) {
    const int rank = config.rank(), pairs = config.d_state / 2, rows = config.headdim;
    v.clear();
    re.clear();
    im.clear();
    const float* x = layer.v.data() + static_cast<std::size_t>(head) * rows;
    for (int r = 0; r < rank; ++r) {
      const float* mix =
          config.is_mimo ? weights.mimo_x.data() + (static_cast<std::size_t>(head) * rank + r) * rows : nullptr;
      for (int p = 0; p < rows; ++p) {
        v.push_back(mix == nullptr ? static_cast<double>(x[p]) : static_cast<double>(x[p]) * mix[p]);
      }
      const float* key = layer.k.data() + (static_cast<std::size_t>(r) * config.heads() + head) * config.d_state;
      for (int i = 0; i < pairs; ++i) {
        re.push_back(key[config.pair_first(i)]);
        im.push_back(key[config.pair_second(i)]);
      }
    }
  }
};

double dot(const double* a, const double* b, std::size_t count) {
  double sum[4] = {0, 0, 0, 0};  // four chains: one would wait for each addition
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::size_t j = 0; j < 4; ++j) sum[j] += a[i + j] * b[i + j];
  }
  for (; i < count; ++i) sum[0] += a[i] * b[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// The products of a head's inputs before and after a step, per pair, from the Gram matrices of v and of the keys.
class PairProducts {
 public:
  void compute(const ModelConfig& config, const LayerWeights& weights, int head, const LayerState* previous,
               const LayerState& now) {
    pairs_ = static_cast<std::size_t>(config.d_state / 2);
    for (std::vector<double>* sums : {&pp_, &nn_, &pn_re_, &pn_im_}) sums->assign(pairs_, 0);
    after_.read(config, weights, head, now);
    const bool has_previous = previous != nullptr && holds_caches(*previous);
    if (has_previous) before_.read(config, weights, head, *previous);
    const auto rank = static_cast<std::size_t>(config.rank()), rows = static_cast<std::size_t>(config.headdim);
    for (std::size_t r = 0; r < rank; ++r) {
      for (std::size_t s = 0; s < rank; ++s) {
        const std::size_t at_r = r * pairs_, at_s = s * pairs_;
        if (s >= r) {  // symmetric: once, and twice off the diagonal
          const double twice = s == r ? 1 : 2;
          add_same(after_, twice * dot(&after_.v[r * rows], &after_.v[s * rows], rows), at_r, at_s, nn_.data());
          if (has_previous) {
            add_same(before_, twice * dot(&before_.v[r * rows], &before_.v[s * rows], rows), at_r, at_s, pp_.data());
          }
        }
        if (has_previous) add_cross(dot(&before_.v[r * rows], &after_.v[s * rows], rows), at_r, at_s);
      }
    }
  }

  Products pair(int i) const {
    const auto at = static_cast<std::size_t>(i);
    return {pp_[at], nn_[at], pn_re_[at], pn_im_[at]};
  }

 private:
  void add_same(const HeadInput& u, double gram, std::size_t r, std::size_t s, double* sum) const {
    const double *re_r = &u.re[r], *im_r = &u.im[r], *re_s = &u.re[s], *im_s = &u.im[s];
    for (std::size_t i = 0; i < pairs_; ++i) sum[i] += gram * (re_r[i] * re_s[i] + im_r[i] * im_s[i]);
  }
  void add_cross(double gram, std::size_t r, std::size_t s) {
    const double *p_re = &before_.re[r], *p_im = &before_.im[r], *n_re = &after_.re[s], *n_im = &after_.im[s];
    double *re = pn_re_.data(), *im = pn_im_.data();
    for (std::size_t i = 0; i < pairs_; ++i) re[i] += gram * (p_re[i] * n_re[i] + p_im[i] * n_im[i]);
    for (std::size_t i = 0; i < pairs_; ++i) im[i] += gram * (p_im[i] * n_re[i] - p_re[i] * n_im[i]);
  }

  std::size_t pairs_ = 0;
  HeadInput before_, after_;
  std::vector<double> pp_, nn_, pn_re_, pn_im_;  // (N / 2)
};

// Squared norms, summed over the pairs of a head.
struct Squares {
  double exact = 0, euler = 0, trapezoid = 0, model = 0;

  void add(const Products& u, const StepTerms& terms, double lambda) {
    exact += u.norm_squared(terms.exact);
    euler += u.norm_squared(error_weights(terms, 1.0));
    trapezoid += u.norm_squared(terms.trapezoid);
    model += u.norm_squared(error_weights(terms, lambda));
  }
  RuleErrors relative() const {
    const auto ratio = [this](double error) {
      if (!(exact > 0)) return std::numeric_limits<float>::quiet_NaN();
      return static_cast<float>(std::sqrt(std::max(0.0, error) / exact));
    };
    return {ratio(euler), ratio(trapezoid), ratio(model)};
  }
};

HeadErrors errors_of(const ModelConfig& config, const StepCoefficients& coefficients, int layer, int head,
                     const PairProducts& products) {
  const std::size_t at = static_cast<std::size_t>(layer) * config.heads() + head;
  const double dt = coefficients.dt[at], decay = coefficients.a[at] * dt, lambda = coefficients.lambda[at];
  // Pairs that do not turn have the same weights, so their products are summed first: in the stored frame all of them.
  Products all, still;
  const auto add = [](Products& sum, const Products& u) {
    sum.pp += u.pp;
    sum.nn += u.nn;
    sum.pn_re += u.pn_re;
    sum.pn_im += u.pn_im;
  };
  Squares stored, unrotated;
  for (int i = 0; i < config.d_state / 2; ++i) {
    Products u = products.pair(i);
    add(all, u);
    if (i >= config.angles()) {
      add(still, u);
      continue;
    }
    // Un-rotated keys differ from the stored ones by e^(-i theta), so a product of the two tokens' keys by e^(i dtheta).
    const double increment = phase_increment(config, coefficients, layer, head, i);
    const double c = std::cos(increment), s = std::sin(increment), re = u.pn_re;
    u.pn_re = c * re - s * u.pn_im;
    u.pn_im = s * re + c * u.pn_im;
    unrotated.add(u, step_terms({decay, -increment}), lambda);
  }
  const StepTerms real_terms = step_terms({decay, 0});
  stored.add(all, real_terms, lambda);
  unrotated.add(still, real_terms, lambda);
  return {stored.relative(), unrotated.relative()};
}

}  // namespace

RuleCoefficients rule_coefficients(double a, double dt, double lambda) {
  const double alpha = std::exp(a * dt);
  return {alpha, (1 - lambda) * dt * alpha, lambda * dt};
}

HeadErrors head_errors(const ModelConfig& config, const LayerWeights& weights, const StepCoefficients& coefficients,
                       int layer, int head, const LayerState* previous, const LayerState& now) {
  PairProducts products;
  products.compute(config, weights, head, previous, now);
  return errors_of(config, coefficients, layer, head, products);
}

StepErrors step_errors(const Weights& weights, const StepCoefficients& coefficients, const SequenceState* previous,
                       const SequenceState& now) {
  const ModelConfig& config = weights.config;
  StepErrors errors;
  errors.stored.reserve(static_cast<std::size_t>(config.n_layer) * config.heads());
  errors.unrotated.reserve(static_cast<std::size_t>(config.n_layer) * config.heads());
  PairProducts products;
  for (int layer = 0; layer < config.n_layer; ++layer) {
    const auto l = static_cast<std::size_t>(layer);
    const LayerState* before = previous == nullptr ? nullptr : &previous->layers[l];
    for (int head = 0; head < config.heads(); ++head) {
      products.compute(config, weights.layers[l], head, before, now.layers[l]);
      const HeadErrors head_errors = errors_of(config, coefficients, layer, head, products);
      errors.stored.push_back(head_errors.stored);
      errors.unrotated.push_back(head_errors.unrotated);
    }
  }
  return errors;
}

}  // namespace engine
