#include "engine/analysis/head_input.h"

#include "engine/analysis/rotation.h"

#include <cmath>

namespace engine {

namespace {

double dot(const double* a, const double* b, std::size_t count) {
  double sum[4] = {0, 0, 0, 0};  // four chains: one would wait for each addition
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::size_t j = 0; j < 4; ++j) sum[j] += a[i + j] * b[i + j];
  }
  for (; i < count; ++i) sum[0] += a[i] * b[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

}  // namespace

InputProducts InputProducts::unrotated(double increment) const {
  const double c = std::cos(increment), s = std::sin(increment);
  return {pp, nn, c * pn_re - s * pn_im, s * pn_re + c * pn_im};
}

void HeadInput::read(const ModelConfig& config, const LayerWeights& weights, int head, const LayerState& layer) {
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

void PairProducts::compute(const ModelConfig& config, const LayerWeights& weights, int head, const LayerState* previous,
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

void PairProducts::add_same(const HeadInput& u, double gram, std::size_t r, std::size_t s, double* sum) const {
  const double *re_r = &u.re[r], *im_r = &u.im[r], *re_s = &u.re[s], *im_s = &u.im[s];
  for (std::size_t i = 0; i < pairs_; ++i) sum[i] += gram * (re_r[i] * re_s[i] + im_r[i] * im_s[i]);
}

void PairProducts::add_cross(double gram, std::size_t r, std::size_t s) {
  const double *p_re = &before_.re[r], *p_im = &before_.im[r], *n_re = &after_.re[s], *n_im = &after_.im[s];
  double *re = pn_re_.data(), *im = pn_im_.data();
  for (std::size_t i = 0; i < pairs_; ++i) re[i] += gram * (p_re[i] * n_re[i] + p_im[i] * n_im[i]);
  for (std::size_t i = 0; i < pairs_; ++i) im[i] += gram * (p_im[i] * n_re[i] - p_re[i] * n_im[i]);
}

}  // namespace engine
