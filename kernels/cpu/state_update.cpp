// The recurrence: one pass over the state, a row at a time.
#include "kernels/state_update/state_update.h"

#include "kernels/cpu/isa.h"

namespace kernels::cpu::MAMBASCOPE_ISA {
namespace {

constexpr int rows_of_item = 8;

// One head's keys and the weights of one row's value in each rank.
template <int rank>
struct Row {
  const float* k[rank];
  const float* k_prev[rank];
  float now[rank];     // gamma v[r,p]
  float before[rank];  // beta v_prev[r,p]
  float alpha;
};

template <int rank>
inline F16 updated(const Row<rank>& row, F16 h, int n, int count) {
  F16 value = h * row.alpha;
  for (int r = 0; r < rank; ++r) {
    add_product(value, load(row.k[r] + n, count), row.now[r]);
    add_product(value, load(row.k_prev[r] + n, count), row.before[r]);
  }
  return value;
}

template <int rank>
void range(const StateUpdateArgs<float>& args, int begin, int end) {
  const int blocks = (args.headdim + rows_of_item - 1) / rows_of_item;
  const std::ptrdiff_t n_count = args.d_state;
  const int whole = args.d_state - args.d_state % lanes;
  const int rest = args.d_state - whole;
  for (int item = begin; item < end; ++item) {
    const std::ptrdiff_t head = item / blocks;
    const std::ptrdiff_t s = head / args.heads;
    const std::ptrdiff_t h = head % args.heads;
    Row<rank> row;
    row.alpha = args.alpha[head];
    for (int r = 0; r < rank; ++r) {
      const std::ptrdiff_t key = ((s * rank + r) * args.heads + h) * n_count;
      row.k[r] = args.k + key;
      row.k_prev[r] = args.k_prev + key;
    }
    const int first = item % blocks * rows_of_item;
    const int last = first + rows_of_item < args.headdim ? first + rows_of_item : args.headdim;
    for (int p = first; p < last; ++p) {
      const std::ptrdiff_t at = head * args.headdim + p;
      const float now = args.gamma[head] * args.x[s * args.stride + h * args.headdim + p];
      const float before = args.beta[head] * args.x_prev[at];
      for (int r = 0; r < rank; ++r) {
        const float weight = args.mimo_x != nullptr ? args.mimo_x[(h * rank + r) * args.headdim + p] : 1.0F;
        const Affine<float> write =
            args.changes.ranks == nullptr ? Affine<float>() : args.changes.ranks[head * rank + r].write;
        row.now[r] = write.scale * (weight * now) + args.gamma[head] * write.offset;
        row.before[r] = write.scale * (weight * before) + args.beta[head] * write.offset;
      }
      float* state = args.h + at * n_count;
      F16 norm2 = {};
      F16 change2 = {};
      for (int n = 0; n < whole; n += lanes) {
        const F16 old = load(state + n);
        const F16 value = updated(row, old, n, lanes);
        store(state + n, value);
        const F16 change = value - old;
        add_product(norm2, value, value);
        add_product(change2, change, change);
      }
      if (rest > 0) {
        const F16 old = load(state + whole, rest);
        const F16 value = updated(row, old, whole, rest);
        store(state + whole, value, rest);
        const F16 change = value - old;
        add_product(norm2, value, value);
        add_product(change2, change, change);
      }
      args.row_norm2[at] = sum(norm2);
      args.row_change2[at] = sum(change2);
    }
  }
}

}  // namespace

void state_update(const StateUpdateArgs<float>& args, int begin, int end) {
  switch (args.rank) {
    case 1:
      return range<1>(args, begin, end);
    case 2:
      return range<2>(args, begin, end);
    case 3:
      return range<3>(args, begin, end);
    case 4:
      return range<4>(args, begin, end);
    case 5:
      return range<5>(args, begin, end);
    case 6:
      return range<6>(args, begin, end);
    case 7:
      return range<7>(args, begin, end);
    default:
      return range<8>(args, begin, end);
  }
}

}  // namespace kernels::cpu::MAMBASCOPE_ISA
