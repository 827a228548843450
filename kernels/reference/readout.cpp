#include "kernels/readout/readout.h"

#include "kernels/norm/norm.h"
#include "kernels/reference/reference.h"
#include "kernels/scalar.h"

namespace kernels::reference {
namespace {

// One head of one sequence and one rank: (P) outputs.
void read_head(const ReadoutArgs<double>& args, std::ptrdiff_t s, std::ptrdiff_t h, std::ptrdiff_t r) {
  const std::ptrdiff_t n_count = args.d_state;
  const std::ptrdiff_t p_count = args.headdim;
  const std::ptrdiff_t head = s * args.heads + h;
  const double* x = args.x + s * args.stride + h * p_count;
  const double* z = args.z + s * args.stride + h * p_count;
  const double* q = args.q + ((s * args.rank + r) * args.heads + h) * n_count;
  double* out = args.out + ((s * args.rank + r) * args.heads + h) * p_count;
  const auto mimo = [&](const float* weights, std::ptrdiff_t p) {
    return weights != nullptr ? static_cast<double>(weights[(h * args.rank + r) * p_count + p]) : 1.0;
  };
  const HeadChange of_head = args.changes.heads == nullptr ? HeadChange() : args.changes.heads[head];
  const Affine<float> read =
      args.changes.ranks == nullptr ? Affine<float>() : args.changes.ranks[head * args.rank + r].read;
  const double d = changed(of_head.d, static_cast<double>(args.d[h]));
  double squares = 0;
  for (std::ptrdiff_t p = 0; p < p_count; ++p) {
    const double* row = args.h + (head * p_count + p) * n_count;
    double y = 0;
    for (std::ptrdiff_t n = 0; n < n_count; ++n) y += row[n] * q[n];
    y = changed(read, y + d * mimo(args.mimo_x, p) * x[p]);
    out[p] = y;
    squares += y * y;
  }
  if (args.norm != nullptr) {
    const double scale = 1 / std::sqrt(squares / static_cast<double>(p_count) + norm_epsilon);
    for (std::ptrdiff_t p = 0; p < p_count; ++p) out[p] *= scale * static_cast<double>(args.norm[h * p_count + p]);
  }
  for (std::ptrdiff_t p = 0; p < p_count; ++p) {
    out[p] *= silu(mimo(args.mimo_z, p) * z[p]);
    if (args.mimo_x == nullptr) out[p] = changed(of_head.output, out[p]);  // of MIMO once the ranks are summed
  }
}

}  // namespace

void readout(const ReadoutArgs<double>& args) {
  const std::ptrdiff_t n_count = args.d_state;
  const std::ptrdiff_t p_count = args.headdim;
  for (std::ptrdiff_t s = 0; s < args.batch; ++s) {
    for (std::ptrdiff_t h = 0; h < args.heads; ++h) {
      const std::ptrdiff_t head = s * args.heads + h;
      for (std::ptrdiff_t r = 0; r < args.rank; ++r) {
        read_head(args, s, h, r);
        const std::ptrdiff_t key = ((s * args.rank + r) * args.heads + h) * n_count;
        for (std::ptrdiff_t n = 0; n < n_count; ++n) args.k_prev[key + n] = args.k[key + n];
      }
      double norm2 = 0;
      double change2 = 0;
      for (std::ptrdiff_t p = 0; p < p_count; ++p) {
        args.x_prev[head * p_count + p] = args.x[s * args.stride + h * p_count + p];
        norm2 += args.row_norm2[head * p_count + p];
        change2 += args.row_change2[head * p_count + p];
      }
      args.state_norm[head] = std::sqrt(norm2);
      args.state_change[head] = std::sqrt(change2);
    }
  }
}

}  // namespace kernels::reference
