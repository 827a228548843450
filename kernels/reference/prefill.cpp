// The chunked form in double, loops as in the equations of kernels/prefill/prefill.h. Keys, queries and angles are those of a
// step, one token after the other.
#include "kernels/prefill/prefill.h"

#include "kernels/norm/norm.h"
#include "kernels/reference/reference.h"
#include "kernels/scalar.h"

#include <algorithm>
#include <vector>

namespace kernels::reference {
namespace {

using Index = std::ptrdiff_t;

std::vector<double> zeros(Index count) { return std::vector<double>(static_cast<std::size_t>(count)); }

double dot(const double* a, const double* b, Index count) {
  double sum = 0;
  for (Index i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

// One head of the sequence; k and q are (T, R, H, N).
class Head {
 public:
  Head(const PrefillArgs<double>& args, Index h, const double* k, const double* q) : args_(args), h_(h), k_(k), q_(q) {}

  void run() {
    add_write(
        args_.dt[h_] * args_.rest[h_], [&](Index r, Index p) { return mix(r, p) * args_.x_prev[h_ * P() + p]; },
        [&](Index r) { return args_.k_prev + (r * args_.heads + h_) * N(); });
    const int chunk = prefill_chunk(args_.rank);
    for (int first = 0; first < args_.tokens; first += chunk) run_chunk(first, std::min(first + chunk, args_.tokens));
  }

 private:
  Index P() const { return args_.headdim; }
  Index N() const { return args_.d_state; }
  double mix(Index r, Index p) const { return weight(args_.mimo_x, r, p); }
  double weight(const float* of, Index r, Index p) const {
    return of == nullptr ? 1.0 : static_cast<double>(of[(h_ * args_.rank + r) * P() + p]);
  }
  double value(Index t, Index r, Index p) const { return mix(r, p) * args_.x[t * args_.stride + h_ * P() + p]; }
  const double* key(Index t, Index r) const { return k_ + ((t * args_.rank + r) * args_.heads + h_) * N(); }
  const double* query(Index t, Index r) const { return q_ + ((t * args_.rank + r) * args_.heads + h_) * N(); }
  double at(const double* of, Index t) const { return of[t * args_.heads + h_]; }
  double gamma(Index t) const { return at(args_.lambda, t) * at(args_.dt, t); }
  double later(Index t) const {
    return gamma(t) + (t + 1 < args_.tokens ? at(args_.dt, t + 1) * at(args_.rest, t + 1) : 0.0);
  }

  // M += scale sum_r v[r] (x) k[r]
  template <class Value, class Key>
  void add_write(double scale, const Value& v, const Key& k) {
    for (Index r = 0; r < args_.rank; ++r) {
      const double* channels = k(r);
      for (Index p = 0; p < P(); ++p) {
        const double written = scale * v(r, p);
        double* row = args_.h + (h_ * P() + p) * N();
        for (Index n = 0; n < N(); ++n) row[n] += written * channels[n];
      }
    }
  }

  void run_chunk(Index begin, Index end) {
    std::vector<double> decay;  // c_t
    double sum = 0;
    for (Index t = begin; t < end; ++t) decay.push_back(sum += at(args_.a, t) * at(args_.dt, t));
    const auto c = [&](Index t) { return decay[static_cast<std::size_t>(t - begin)]; };
    for (Index t = begin; t < end; ++t) {
      std::vector<double> y = zeros(args_.rank * P());
      for (Index r = 0; r < args_.rank; ++r) {
        double* out = y.data() + r * P();
        for (Index p = 0; p < P(); ++p) {
          out[p] = std::exp(c(t)) * dot(args_.h + (h_ * P() + p) * N(), query(t, r), N());
          out[p] += static_cast<double>(args_.d[h_]) * value(t, r, p);
        }
        for (Index s = begin; s <= t; ++s) {
          const double weight = s == t ? gamma(t) : std::exp(c(t) - c(s)) * later(s);
          for (Index other = 0; other < args_.rank; ++other) {
            const double score = weight * dot(query(t, r), key(s, other), N());
            for (Index p = 0; p < P(); ++p) out[p] += score * value(s, other, p);
          }
        }
      }
      leave(t, y);
    }
    const double whole = std::exp(c(end - 1));
    for (Index i = 0; i < P() * N(); ++i) args_.h[h_ * P() * N() + i] *= whole;
    for (Index s = begin; s < end; ++s) {
      add_write(
          std::exp(c(end - 1) - c(s)) * later(s), [&](Index r, Index p) { return value(s, r, p); },
          [&](Index r) { return key(s, r); });
    }
  }

  // Norm, gate, sum of the ranks; y (R, P).
  void leave(Index t, std::vector<double>& y) const {
    double* out = args_.out + (t * args_.heads + h_) * P();
    std::fill_n(out, P(), 0.0);
    for (Index r = 0; r < args_.rank; ++r) {
      const double* row = y.data() + r * P();
      const double scale = 1 / std::sqrt(dot(row, row, P()) / static_cast<double>(P()) + norm_epsilon);
      for (Index p = 0; p < P(); ++p) {
        const double normed =
            args_.norm == nullptr ? row[p] : row[p] * scale * static_cast<double>(args_.norm[h_ * P() + p]);
        const double gate = weight(args_.mimo_z, r, p) * args_.z[t * args_.stride + h_ * P() + p];
        out[p] += weight(args_.mimo_o, r, p) * normed * silu(gate);
      }
    }
  }

  const PrefillArgs<double>& args_;
  Index h_;
  const double *k_, *q_;
};

}  // namespace

void prefill(const PrefillArgs<double>& args) {
  const Index keys = Index{args.rank} * args.heads * args.d_state, tokens = args.tokens;
  std::vector<double> k = zeros(tokens * keys), q = zeros(tokens * keys);
  RotateArgs<double> rotate_args;
  rotate_args.heads = args.heads;
  rotate_args.rank = args.rank;
  rotate_args.groups = args.groups;
  rotate_args.d_state = args.d_state;
  rotate_args.angles = args.angles;
  rotate_args.half_pairs = args.half_pairs;
  rotate_args.b_norm = args.b_norm;
  rotate_args.c_norm = args.c_norm;
  rotate_args.b_bias = args.b_bias;
  rotate_args.c_bias = args.c_bias;
  rotate_args.angle = args.angle;
  rotate_args.turns = args.turns;
  for (Index t = 0; t < tokens; ++t) {
    rotate_args.b = args.b + t * args.stride;
    rotate_args.c = args.c + t * args.stride;
    rotate_args.dt = args.dt + t * args.heads;
    rotate_args.turn = args.turn + t * args.angles;
    rotate_args.k = k.data() + t * keys;
    rotate_args.q = q.data() + t * keys;
    rotate(rotate_args);
  }
  for (Index h = 0; h < args.heads; ++h) Head(args, h, k.data(), q.data()).run();
  if (tokens == 0) return;
  std::copy_n(k.data() + (tokens - 1) * keys, keys, args.k_prev);
  std::copy_n(args.x + (tokens - 1) * args.stride, Index{args.heads} * args.headdim, args.x_prev);
}

}  // namespace kernels::reference
