#include "kernels/state_update/state_update.h"

#include "kernels/reference/reference.h"

namespace kernels::reference {

void state_update(const StateUpdateArgs<double>& args) {
  const std::ptrdiff_t n_count = args.d_state;
  const std::ptrdiff_t p_count = args.headdim;
  for (std::ptrdiff_t s = 0; s < args.batch; ++s) {
    for (std::ptrdiff_t h = 0; h < args.heads; ++h) {
      const std::ptrdiff_t head = s * args.heads + h;
      for (std::ptrdiff_t p = 0; p < p_count; ++p) {
        const double x = args.x[s * args.stride + h * p_count + p];
        const double x_prev = args.x_prev[head * p_count + p];
        double* row = args.h + (head * p_count + p) * n_count;
        double norm2 = 0;
        double change2 = 0;
        for (std::ptrdiff_t n = 0; n < n_count; ++n) {
          const double before = row[n];
          double written_before = 0;  // sum over ranks of v_prev k_prev
          double written = 0;         // and of v k
          for (std::ptrdiff_t r = 0; r < args.rank; ++r) {
            const double mimo_x =
                args.mimo_x != nullptr ? static_cast<double>(args.mimo_x[(h * args.rank + r) * p_count + p]) : 1.0;
            const std::ptrdiff_t key = ((s * args.rank + r) * args.heads + h) * n_count + n;
            const Affine<float> write =
                args.changes.ranks == nullptr ? Affine<float>() : args.changes.ranks[head * args.rank + r].write;
            written_before += changed(write, mimo_x * x_prev) * args.k_prev[key];
            written += changed(write, mimo_x * x) * args.k[key];
          }
          row[n] = args.alpha[head] * before + args.beta[head] * written_before + args.gamma[head] * written;
          norm2 += row[n] * row[n];
          change2 += (row[n] - before) * (row[n] - before);
        }
        args.row_norm2[head * p_count + p] = norm2;
        args.row_change2[head * p_count + p] = change2;
      }
    }
  }
}

}  // namespace kernels::reference
