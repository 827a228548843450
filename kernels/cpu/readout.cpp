// What a token reads from the state, one head after the other; then the caches move on.
#include "kernels/readout/readout.h"

#include "kernels/cpu/isa.h"
#include "kernels/norm/norm.h"

namespace kernels::cpu::MAMBASCOPE_ISA {
namespace {

constexpr int most_rows = 256;

// y[r * most_rows + p] = sum_n h[p,n] q[r,n] for one head.
template <int rank>
void products(const ReadoutArgs<float>& args, std::ptrdiff_t s, std::ptrdiff_t h, float* y) {
  const std::ptrdiff_t n_count = args.d_state;
  const int whole = args.d_state - args.d_state % lanes;
  const int rest = args.d_state - whole;
  const float* state = args.h + (s * args.heads + h) * args.headdim * n_count;
  const float* q[rank];
  for (int r = 0; r < rank; ++r) q[r] = args.q + ((s * rank + r) * args.heads + h) * n_count;
  for (int p = 0; p < args.headdim; ++p, state += n_count) {
    F16 sums[rank] = {};
    for (int n = 0; n < whole; n += lanes) {
      const F16 value = load(state + n);
      for (int r = 0; r < rank; ++r) add_product(sums[r], value, load(q[r] + n));
    }
    if (rest > 0) {
      const F16 value = load(state + whole, rest);
      for (int r = 0; r < rank; ++r) add_product(sums[r], value, load(q[r] + whole, rest));
    }
    for (int r = 0; r < rank; ++r) y[r * most_rows + p] = sum(sums[r]);
  }
}

void products(const ReadoutArgs<float>& args, std::ptrdiff_t s, std::ptrdiff_t h, float* y) {
  switch (args.rank) {
    case 1:
      return products<1>(args, s, h, y);
    case 2:
      return products<2>(args, s, h, y);
    case 3:
      return products<3>(args, s, h, y);
    case 4:
      return products<4>(args, s, h, y);
    case 5:
      return products<5>(args, s, h, y);
    case 6:
      return products<6>(args, s, h, y);
    case 7:
      return products<7>(args, s, h, y);
    default:
      return products<8>(args, s, h, y);
  }
}

// Adds D v, norms and gates one rank's outputs.
void finish(const ReadoutArgs<float>& args, std::ptrdiff_t s, std::ptrdiff_t h, std::ptrdiff_t r, float* y) {
  const std::ptrdiff_t piece = s * args.stride + h * args.headdim;
  const std::ptrdiff_t ranked = (h * args.rank + r) * args.headdim;
  float* out = args.out + ((s * args.rank + r) * args.heads + h) * args.headdim;
  const std::ptrdiff_t head = s * args.heads + h;
  const HeadChange* change = args.changes.heads == nullptr ? nullptr : args.changes.heads + head;
  const Affine<float> read =
      args.changes.ranks == nullptr ? Affine<float>() : args.changes.ranks[head * args.rank + r].read;
  // Of MIMO once the ranks are summed.
  const Affine<float> output = change == nullptr || args.mimo_x != nullptr ? Affine<float>() : change->output;
  const float d = change == nullptr ? args.d[h] : change->d.scale * args.d[h] + change->d.offset;
  F16 squares = {};
  for (int p = 0; p < args.headdim; p += lanes) {
    const int count = args.headdim - p < lanes ? args.headdim - p : lanes;
    F16 v = load(args.x + piece + p, count);
    if (args.mimo_x != nullptr) v = v * load(args.mimo_x + ranked + p, count);
    F16 value = load(y + p, count);
    add_product(value, v, d);
    store(y + p, change_each(value, read), count);
    value = load(y + p, count);  // without what an offset made of the lanes beyond the last row
    add_product(squares, value, value);
  }
  float scale = 1;
  if (args.norm != nullptr) {
    const float mean = sum(squares) / static_cast<float>(args.headdim);
    scale = 1.0F / __builtin_sqrtf(mean + static_cast<float>(norm_epsilon));
  }
  for (int p = 0; p < args.headdim; p += lanes) {
    const int count = args.headdim - p < lanes ? args.headdim - p : lanes;
    F16 value = load(y + p, count);
    if (args.norm != nullptr) value = value * scale * load(args.norm + h * args.headdim + p, count);
    F16 gate = load(args.z + piece + p, count);
    if (args.mimo_z != nullptr) gate = gate * load(args.mimo_z + ranked + p, count);
    store(out + p, change_each(value * silu(gate), output), count);
  }
}

inline float root_of_sum(const float* values, int count) {
  F16 total = {};
  for (int p = 0; p < count; p += lanes) total = total + load(values + p, count - p < lanes ? count - p : lanes);
  return __builtin_sqrtf(sum(total));
}

}  // namespace

void readout(const ReadoutArgs<float>& args, int begin, int end) {
  float y[8 * most_rows];
  for (int item = begin; item < end; ++item) {
    const std::ptrdiff_t s = item / args.heads;
    const std::ptrdiff_t h = item % args.heads;
    products(args, s, h, y);
    for (std::ptrdiff_t r = 0; r < args.rank; ++r) {
      finish(args, s, h, r, y + r * most_rows);
      const std::ptrdiff_t key = ((s * args.rank + r) * args.heads + h) * args.d_state;
      __builtin_memcpy(args.k_prev + key, args.k + key, static_cast<std::size_t>(args.d_state) * sizeof(float));
    }
    const std::ptrdiff_t rows = static_cast<std::ptrdiff_t>(item) * args.headdim;
    __builtin_memcpy(args.x_prev + rows, args.x + s * args.stride + h * args.headdim,
                     static_cast<std::size_t>(args.headdim) * sizeof(float));
    args.state_norm[item] = root_of_sum(args.row_norm2 + rows, args.headdim);
    args.state_change[item] = root_of_sum(args.row_change2 + rows, args.headdim);
  }
}

}  // namespace kernels::cpu::MAMBASCOPE_ISA
