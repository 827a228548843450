// One head's input to a step and what the norms of its weighted sums are made of: Gram matrices of the values and of the
// keys, so that no P x N matrix is formed. Shared by the analyses of the discretisation; pure, in double.
#pragma once

#include "engine/analysis/phi_functions.h"
#include "engine/backend/state.h"
#include "engine/model/config.h"
#include "engine/model/weights.h"

#include <cstddef>
#include <vector>

namespace engine {

// Inner products of the inputs before (p) and after (n) a step, for one pair of channels or summed over several; with
// weights c and d, Re <c_p u_p + c_n u_n, d_p u_p + d_n u_n>
//   = Re(c_p conj(d_p)) pp + Re(c_n conj(d_n)) nn + Re((c_p conj(d_n) + d_p conj(c_n)) pn).
struct InputProducts {
  double pp = 0, nn = 0, pn_re = 0, pn_im = 0;

  void operator+=(const InputProducts& other) {
    pp += other.pp;
    nn += other.nn;
    pn_re += other.pn_re;
    pn_im += other.pn_im;
  }
  double norm_squared(const InputWeights& c) const {
    const double p_re = c.previous.real(), p_im = c.previous.imag(), n_re = c.now.real(), n_im = c.now.imag();
    const double cross_re = p_re * n_re + p_im * n_im, cross_im = p_im * n_re - p_re * n_im;
    return (p_re * p_re + p_im * p_im) * pp + (n_re * n_re + n_im * n_im) * nn +
           2 * (cross_re * pn_re - cross_im * pn_im);
  }
  double inner(const InputWeights& c, const InputWeights& d) const {
    const Complex cross = c.previous * std::conj(d.now) + d.previous * std::conj(c.now);
    return (c.previous * std::conj(d.previous)).real() * pp + (c.now * std::conj(d.now)).real() * nn +
           cross.real() * pn_re - cross.imag() * pn_im;
  }
  // Un-rotated keys differ from the stored ones by e^(-i theta), so the product of the two tokens' keys by
  // e^(i dtheta). `increment` in radians.
  InputProducts unrotated(double increment) const;
};

// One token's input to one head, u = sum over ranks of v_r (x) key_r, with the stored (rotated) keys.
struct HeadInput {
  std::vector<double> v, re, im;  // (R, P), (R, N / 2), (R, N / 2)

  // The layer's caches must be held.
  void read(const ModelConfig& config, const LayerWeights& weights, int head, const LayerState& layer);
};

// The products of a head's inputs before and after a step, per pair of channels.
class PairProducts {
 public:
  // `previous` may be null or without caches: then the input before is zero.
  void compute(const ModelConfig& config, const LayerWeights& weights, int head, const LayerState* previous,
               const LayerState& now);
  InputProducts pair(int i) const {
    const auto at = static_cast<std::size_t>(i);
    return {pp_[at], nn_[at], pn_re_[at], pn_im_[at]};
  }

 private:
  void add_same(const HeadInput& u, double gram, std::size_t r, std::size_t s, double* sum) const;
  void add_cross(double gram, std::size_t r, std::size_t s);

  std::size_t pairs_ = 0;
  HeadInput before_, after_;
  std::vector<double> pp_, nn_, pn_re_, pn_im_;  // (N / 2)
};

}  // namespace engine
