#include "kernels/state_tiles/state_tiles.h"

#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int threads = 128;

__device__ __forceinline__ float widened(float value) { return value; }
__device__ __forceinline__ float widened(std::uint16_t bf16) {
  return __uint_as_float(static_cast<unsigned>(bf16) << 16U);
}

// One thread a block: neighbours read neighbouring pieces of a row, whole sectors where a piece is 8 fp32 or more.
// One for each warp: most of them find that they add nothing.
__device__ void add_to(StateTilesSummary* summary, unsigned lanes, std::uint32_t bits) {
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  const bool finite = is_finite(magnitude);
  const unsigned largest = __reduce_max_sync(lanes, finite ? magnitude : 0U);
  const bool bad = __any_sync(lanes, !finite) != 0;
  if (static_cast<int>(threadIdx.x & 31U) != __ffs(static_cast<int>(lanes)) - 1) return;
  if (largest > *static_cast<volatile std::uint32_t*>(&summary->largest)) atomicMax(&summary->largest, largest);
  if (bad) summary->not_finite = 1;
}

template <class T>
__global__ void __launch_bounds__(threads) state_tiles_kernel(const StateTilesArgs<T> args) {
  const int block = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  const unsigned lanes = __ballot_sync(0xFFFFFFFFU, block < args.rows * args.columns);
  if (block >= args.rows * args.columns) return;
  const std::size_t head = blockIdx.y, layer = blockIdx.z;
  const int row = block / args.columns, column = block - row * args.columns;
  const int p_end = block_begin(row + 1, args.rows, args.headdim);
  const int n_begin = block_begin(column, args.columns, args.d_state);
  const int n_end = block_begin(column + 1, args.columns, args.d_state);
  const T* cells = args.h + layer * args.layer_stride +
                   head * static_cast<std::size_t>(args.headdim) * static_cast<std::size_t>(args.d_state);
  std::uint32_t key = 0;
  double squares = 0;
  int count = 0;
  for (int p = block_begin(row, args.rows, args.headdim); p < p_end; ++p) {
    const T* line = cells + static_cast<std::size_t>(p) * static_cast<std::size_t>(args.d_state);
#pragma unroll 8
    for (int n = n_begin; n < n_end; ++n) {
      const float value = widened(line[n]);
      key = max(key, magnitude_key(__float_as_uint(value)));
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    count += n_end - n_begin;
  }
  const std::uint32_t largest = bits_of_key(key);
  const auto rms = static_cast<float>(sqrt(squares / count));
  StateTile tile;
  tile.largest = __uint_as_float(is_not_a_number(largest) ? not_a_number : largest);
  tile.rms = rms != rms ? __uint_as_float(not_a_number) : rms;
  if (args.summary != nullptr) add_to(args.summary, lanes, __float_as_uint(tile.largest));
  const std::size_t blocks = static_cast<std::size_t>(args.rows) * static_cast<std::size_t>(args.columns);
  args.tiles[(layer * static_cast<std::size_t>(args.heads) + head) * blocks + static_cast<std::size_t>(block)] = tile;
}

template <class T>
int launch(const StateTilesArgs<T>& args, StreamHandle stream) {
  if (args.heads > 65535 || args.layers > 65535) return cudaErrorInvalidValue;
  const dim3 grid(static_cast<unsigned>((args.rows * args.columns + threads - 1) / threads),
                  static_cast<unsigned>(args.heads), static_cast<unsigned>(args.layers));
  state_tiles_kernel<T><<<grid, threads, 0, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace

int state_tiles(const StateTilesArgs<float>& args, StreamHandle stream) { return launch(args, stream); }
int state_tiles(const StateTilesArgs<std::uint16_t>& args, StreamHandle stream) { return launch(args, stream); }

}  // namespace kernels::device
