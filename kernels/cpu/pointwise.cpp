// The families that touch no state: embedding, norm, mimo_mix.
#include "kernels/cpu/isa.h"
#include "kernels/embedding/embedding.h"
#include "kernels/mimo_mix/mimo_mix.h"
#include "kernels/norm/norm.h"

namespace kernels::cpu::MAMBASCOPE_ISA {
namespace {

template <DType dtype>
void widen_row(const Matrix& table, int row, float* out) {
  const std::size_t first = static_cast<std::size_t>(row) * static_cast<std::size_t>(table.cols);
  int c = 0;
  for (; c + lanes <= table.cols; c += lanes) {
    store(out + c, load_weights<dtype>(table.data, first + static_cast<std::size_t>(c)));
  }
  if (const int rest = table.cols - c; rest > 0) {
    store(out + c, load_weights<dtype>(table.data, first + static_cast<std::size_t>(c), rest), rest);
  }
}

}  // namespace

void embedding(const EmbeddingArgs<float>& args, int begin, int end) {
  for (int s = begin; s < end; ++s) {
    float* out = args.out + static_cast<std::ptrdiff_t>(s) * args.table.cols;
    switch (args.table.dtype) {
      case DType::f32:
        widen_row<DType::f32>(args.table, args.ids[s], out);
        break;
      case DType::f16:
        widen_row<DType::f16>(args.table, args.ids[s], out);
        break;
      case DType::bf16:
        widen_row<DType::bf16>(args.table, args.ids[s], out);
        break;
    }
  }
}

void norm(const NormArgs<float>& args, int begin, int end) {
  const int whole = args.width - args.width % lanes;
  const int rest = args.width - whole;
  for (int s = begin; s < end; ++s) {
    const float* in = args.in + static_cast<std::ptrdiff_t>(s) * args.width;
    float* out = args.out + static_cast<std::ptrdiff_t>(s) * args.width;
    F16 squares = {};
    for (int i = 0; i < whole; i += lanes) {
      const F16 x = load(in + i);
      add_product(squares, x, x);
    }
    const F16 tail = load(in + whole, rest);
    add_product(squares, tail, tail);
    const float mean = sum(squares) / static_cast<float>(args.width);
    const float scale = 1.0F / __builtin_sqrtf(mean + static_cast<float>(norm_epsilon));
    for (int i = 0; i < whole; i += lanes) store(out + i, load(in + i) * scale * load(args.weight + i));
    store(out + whole, tail * scale * load(args.weight + whole, rest), rest);
  }
}

void mimo_mix(const MimoMixArgs<float>& args, int begin, int end) {
  for (int item = begin; item < end; ++item) {
    const int s = item / args.heads;
    const int h = item % args.heads;
    float* out = args.out + static_cast<std::ptrdiff_t>(item) * args.headdim;
    const Affine<float> change = args.changes.heads == nullptr ? Affine<float>() : args.changes.heads[item].output;
    for (int p = 0; p < args.headdim; p += lanes) {
      const int count = args.headdim - p < lanes ? args.headdim - p : lanes;
      F16 mixed = {};
      for (int r = 0; r < args.rank; ++r) {
        const std::ptrdiff_t weight = (static_cast<std::ptrdiff_t>(h) * args.rank + r) * args.headdim + p;
        const std::ptrdiff_t value =
            ((static_cast<std::ptrdiff_t>(s) * args.rank + r) * args.heads + h) * args.headdim + p;
        add_product(mixed, load(args.mimo_o + weight, count), load(args.values + value, count));
      }
      store(out + p, change_each(mixed, change), count);
    }
  }
}

}  // namespace kernels::cpu::MAMBASCOPE_ISA
