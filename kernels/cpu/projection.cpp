// Matrix-vector products, streaming the weights once. Each output has one accumulator of sixteen lanes along its row,
// whatever the number of rows and sequences in flight, so its bits depend on its row and its input only.
#include "kernels/projection/projection.h"

#include "kernels/cpu/isa.h"

namespace kernels::cpu::MAMBASCOPE_ISA {
namespace {

constexpr int group = 16;  // rows of an item
// Sums in flight fill about half of the registers; the bits do not depend on them.
constexpr int most_sequences = parts == 1 ? 4 : parts == 2 ? 2 : 1;
constexpr int rows_in_flight(int sequences) { return parts == 1 || (parts == 2 && sequences == 1) ? 4 : 2; }

// Products of `rows` rows from `row` on with `sequences` inputs; to[s * group + i] is row `row + i` of sequence s.
template <DType dtype, int rows, int sequences>
inline void dots(const Matrix& w, int row, const float* in, float* to) {
  const std::size_t cols = static_cast<std::size_t>(w.cols);
  const std::size_t whole = cols - cols % lanes;
  const std::size_t first = static_cast<std::size_t>(row) * cols;
  F16 sums[rows][sequences] = {};
  for (std::size_t c = 0; c < whole; c += lanes) {
    F16 x[sequences];
    for (int s = 0; s < sequences; ++s) x[s] = load(in + static_cast<std::size_t>(s) * cols + c);
    for (int i = 0; i < rows; ++i) {
      const F16 weights = load_weights<dtype>(w.data, first + static_cast<std::size_t>(i) * cols + c);
      for (int s = 0; s < sequences; ++s) add_product(sums[i][s], weights, x[s]);
    }
  }
  if (const int rest = static_cast<int>(cols - whole); rest > 0) {
    for (int i = 0; i < rows; ++i) {
      const F16 weights = load_weights<dtype>(w.data, first + static_cast<std::size_t>(i) * cols + whole, rest);
      for (int s = 0; s < sequences; ++s) {
        add_product(sums[i][s], weights, load(in + static_cast<std::size_t>(s) * cols + whole, rest));
      }
    }
  }
  for (int i = 0; i < rows; ++i) {
    for (int s = 0; s < sequences; ++s) to[s * group + i] = sum(sums[i][s]);
  }
}

template <DType dtype, int sequences>
inline void group_dots(const Matrix& w, int row, int count, const float* in, float* to) {
  constexpr int rows = rows_in_flight(sequences);
  int i = 0;
  for (; i + rows <= count; i += rows) dots<dtype, rows, sequences>(w, row + i, in, to + i);
  for (; i < count; ++i) dots<dtype, 1, sequences>(w, row + i, in, to + i);
}

template <DType dtype, int sequences>
void rows_of(const ProjectionArgs<float>& args, int row, int count, int sequence) {
  const float* in = args.in + static_cast<std::ptrdiff_t>(sequence) * args.weight.cols;
  const std::ptrdiff_t out_width = args.out_width();
  float* out = args.out + sequence * out_width + row;
  float values[sequences * group];
  group_dots<dtype, sequences>(args.weight, row, count, in, values);
  float gates[sequences * group];
  if (args.mode == ProjectionMode::gated) {
    group_dots<dtype, sequences>(args.weight, static_cast<int>(out_width) + row, count, in, gates);
  }
  for (int s = 0; s < sequences; ++s, out += out_width) {
    F16 result = load(values + s * group, count);
    if (args.mode == ProjectionMode::gated) result = result * silu(load(gates + s * group, count));
    if (args.mode == ProjectionMode::accumulate) result = result + load(out, count);
    store(out, result, count);
  }
}

template <DType dtype>
void range(const ProjectionArgs<float>& args, int begin, int end) {
  for (int item = begin; item < end; ++item) {
    const int row = item * group;
    const int left = args.out_width() - row;
    const int count = left < group ? left : group;
    int s = 0;
    for (; s + most_sequences <= args.batch; s += most_sequences) rows_of<dtype, most_sequences>(args, row, count, s);
    for (; s < args.batch; ++s) rows_of<dtype, 1>(args, row, count, s);
  }
}

}  // namespace

void projection(const ProjectionArgs<float>& args, int begin, int end) {
  switch (args.weight.dtype) {
    case DType::f32:
      return range<DType::f32>(args, begin, end);
    case DType::f16:
      return range<DType::f16>(args, begin, end);
    case DType::bf16:
      return range<DType::bf16>(args, begin, end);
  }
}

}  // namespace kernels::cpu::MAMBASCOPE_ISA
