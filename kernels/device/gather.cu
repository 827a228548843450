#include "kernels/device/gather.h"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int block = 256;
constexpr int blocks_per_multiprocessor = 4;

template <class Word>
__device__ void copy_piece(const GatherPiece& piece, char* to, unsigned first, unsigned step) {
  const unsigned width = static_cast<unsigned>(piece.width / sizeof(Word));
  const unsigned count = width * static_cast<unsigned>(piece.rows);
  Word* out = reinterpret_cast<Word*>(to + piece.to);
  for (unsigned i = first; i < count; i += step) {
    const unsigned row = i / width;
    const char* from = static_cast<const char*>(piece.from) + row * piece.pitch;
    out[i] = reinterpret_cast<const Word*>(from)[i - row * width];
  }
}

__global__ void __launch_bounds__(block) gather_kernel(const GatherArgs args, char* to) {
  const unsigned first = blockIdx.x * block + threadIdx.x;
  const unsigned step = gridDim.x * block;
  for (int i = 0; i < args.count; ++i) {
    const GatherPiece& piece = args.pieces[i];
    const auto bits = reinterpret_cast<std::size_t>(piece.from) | piece.pitch | piece.width | piece.to;
    if (bits % sizeof(uint4) == 0) {
      copy_piece<uint4>(piece, to, first, step);
    } else {
      copy_piece<unsigned>(piece, to, first, step);
    }
  }
}

}  // namespace

int gather(const GatherArgs& args, void* destination, int multiprocessors, StreamHandle stream) {
  gather_kernel<<<blocks_per_multiprocessor * multiprocessors, block, 0, stream>>>(args,
                                                                                   static_cast<char*>(destination));
  return cudaGetLastError();
}

}  // namespace kernels::device
