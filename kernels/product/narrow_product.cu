// A block takes some rows of the matrix (and a piece of its columns) and all sequences. One warp copies: tiles of 64 columns
// of weights and of both parts of the activations travel through a ring of stages in shared memory. Four warps for each 64
// sequences multiply what has arrived. Weights of the first stages are asked for before the kernel waits for the one before
// it. Where there are more tiles than multiprocessors a block takes several, and the copies run ahead into the next.
#include "kernels/device/activation.cuh"
#include "kernels/fused/launch.cuh"
#include "kernels/fused/overlap.cuh"
#include "kernels/product/hopper.cuh"
#include "kernels/product/narrow_product.h"
#include "kernels/product/split.cuh"

#include <cuda.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

namespace kernels::device {

namespace {

constexpr int tile_columns = 64, row_bytes = 128;  // of a tile: one swizzled row
constexpr int group_rows = 64, group_warps = 4;    // what one product instruction takes

struct Launched {
  CUtensorMap weights;  // (cols, rows)
  CUtensorMap parts;    // (cols, B, 2)
  int rows, batch;
  int tiles, column_tiles, pieces;
  float* out;
  void* gated;
};

// n rows of the matrix at a time, for up to 64 x groups sequences.
template <int n, int groups>
struct Ring {
  static constexpr int part_bytes = group_rows * row_bytes, parts_bytes = 2 * groups * part_bytes;
  static constexpr int stage_bytes = parts_bytes + n * row_bytes;
  static constexpr int available = 225 << 10;  // of 227 KiB
  static constexpr int stages = std::min(8, available / stage_bytes);
  static constexpr int bytes = stages * stage_bytes + 1024;  // tiles start at multiples of 1024
  static constexpr int threads = (groups * group_warps + 1) * 32;
};

// The work of a block, one tile and piece after the other.
struct Unit {
  int tile, piece, first, end;  // columns, in tiles
  __device__ Unit(const Launched& args, int unit)
      : tile(unit % args.tiles),
        piece(unit / args.tiles),
        first(args.column_tiles * piece / args.pieces),
        end(args.column_tiles * (piece + 1) / args.pieces) {}
};

template <int n, int groups, bool gated>
__device__ __forceinline__ void copy_all(const Launched& args, std::uint32_t ring, std::uint32_t full,
                                         std::uint32_t empty) {
  using R = Ring<n, groups>;
  const auto ask_for_weights = [&](int stage, int tile, int column) {
    const std::uint32_t to = ring + stage * R::stage_bytes + R::parts_bytes, barrier = full + 8 * stage;
    hopper::arrive_expecting(barrier, R::stage_bytes);
    if constexpr (gated) {
      hopper::copy_box_once(to, args.weights, barrier, column * tile_columns, tile * (n / 2));
      hopper::copy_box_once(to + n / 2 * row_bytes, args.weights, barrier, column * tile_columns,
                            args.rows / 2 + tile * (n / 2));
    } else {
      hopper::copy_box_once(to, args.weights, barrier, column * tile_columns, tile * n);
    }
  };
  const Unit start(args, static_cast<int>(blockIdx.x));
  const int ahead = min(R::stages, start.end - start.first);
  for (int i = 0; i < ahead; ++i) ask_for_weights(i, start.tile, start.first + i);
  wait_for_previous();
  int step = 0;
  for (int u = static_cast<int>(blockIdx.x); u < args.tiles * args.pieces; u += static_cast<int>(gridDim.x)) {
    const Unit unit(args, u);
    for (int column = unit.first; column < unit.end; ++column, ++step) {
      const int stage = step % R::stages;
      if (step >= ahead) {
        hopper::wait(empty + 8 * stage, (step / R::stages + 1) % 2);
        ask_for_weights(stage, unit.tile, column);
      }
#pragma unroll
      for (int box = 0; box < 2 * groups; ++box) {
        hopper::copy_box(ring + stage * R::stage_bytes + box * R::part_bytes, args.parts, full + 8 * stage,
                         column * tile_columns, box % groups * group_rows, box / groups);
      }
    }
  }
}

// What a lane holds of one row of sums: `sums` as add_product() has them, `half` 0 or 1.
template <int n, bool gated>
__device__ __forceinline__ void store(const Launched& args, const Unit& unit, const float (&sums)[n / 2], int half,
                                      int b, int lane) {
  if constexpr (gated) {
    const int width = args.rows / 2;
    const std::size_t sequence = static_cast<std::size_t>(b) * width;
#pragma unroll
    for (int j = 0; j < n / 16; ++j) {
      const int row = unit.tile * (n / 2) + 8 * j + lane % 4 * 2;
      if (row >= width) break;
      const float* const value = sums + 4 * j + 2 * half;
      const float* const gate = value + n / 4;
      store_parts(args.gated, sequence + row, static_cast<std::size_t>(args.batch) * width,
                  make_float2(value[0] * silu(gate[0]), value[1] * silu(gate[1])));
    }
  } else {
    float* const out = args.out + (static_cast<std::size_t>(unit.piece) * args.batch + b) * args.rows;
    const bool pairs = args.rows % 2 == 0;
#pragma unroll
    for (int j = 0; j < n / 8; ++j) {
      const int row = unit.tile * n + 8 * j + lane % 4 * 2;
      if (row >= args.rows) break;
      const float2 sum = make_float2(sums[4 * j + 2 * half], sums[4 * j + 2 * half + 1]);
      if (pairs) {
        *reinterpret_cast<float2*>(out + row) = sum;
      } else {
        out[row] = sum.x;
        if (row + 1 < args.rows) out[row + 1] = sum.y;
      }
    }
  }
}

template <int n, int groups, bool gated>
__device__ __forceinline__ void multiply_all(const Launched& args, std::uint32_t ring, std::uint32_t full,
                                             std::uint32_t empty) {
  using R = Ring<n, groups>;
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int group = warp / group_warps;
  int step = 0;
  for (int u = static_cast<int>(blockIdx.x); u < args.tiles * args.pieces; u += static_cast<int>(gridDim.x)) {
    const Unit unit(args, u);
    float sums[n / 2];
#pragma unroll
    for (float& sum : sums) sum = 0.0F;
    const auto give_back = [&](int used) {
      if (lane == 0) hopper::arrive(empty + 8 * (used % R::stages));
    };
    for (int column = unit.first; column < unit.end; ++column, ++step) {
      const int stage = step % R::stages;
      hopper::wait(full + 8 * stage, step / R::stages % 2);
      const std::uint32_t high = ring + stage * R::stage_bytes + group * R::part_bytes;
      const std::uint32_t weights = ring + stage * R::stage_bytes + R::parts_bytes;
      hopper::products_begin();
#pragma unroll
      for (int k = 0; k < tile_columns / 16; ++k) {
        hopper::add_product(sums, hopper::tile(high) + 2 * k, hopper::tile(weights) + 2 * k);
        hopper::add_product(sums, hopper::tile(high + groups * R::part_bytes) + 2 * k, hopper::tile(weights) + 2 * k);
      }
      hopper::products_end();
      if (column == unit.first) continue;
      hopper::products_wait<1>();
      give_back(step - 1);
    }
    hopper::products_wait<0>();
    if (unit.end > unit.first) give_back(step - 1);
    wait_for_previous();  // a piece without columns has not
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int b = group * group_rows + warp % group_warps * 16 + half * 8 + lane / 4;
      if (b < args.batch) store<n, gated>(args, unit, sums, half, b, lane);
    }
  }
}

template <int n, int groups, bool gated>
__global__ void __launch_bounds__(Ring<n, groups>::threads, 1)
    narrow_product_kernel(const __grid_constant__ Launched args) {
  using R = Ring<n, groups>;
  extern __shared__ std::uint8_t shared[];
  __shared__ std::uint64_t barriers[2 * R::stages];
  const std::uint32_t ring = (hopper::shared_address(shared) + 1023U) & ~1023U;
  const std::uint32_t full = hopper::shared_address(barriers), empty = full + 8 * R::stages;
  if (threadIdx.x == 0) {
    for (int s = 0; s < R::stages; ++s) {
      hopper::init(full + 8 * s, 1);
      hopper::init(empty + 8 * s, groups * group_warps);
    }
    hopper::inits_done();
  }
  __syncthreads();
  let_next_start();
  if (threadIdx.x < groups * group_warps * 32) {
    multiply_all<n, groups, gated>(args, ring, full, empty);
  } else if (threadIdx.x == groups * group_warps * 32) {
    copy_all<n, groups, gated>(args, ring, full, empty);
  }
}

// The driver's function that describes a tensor to the copies; null where there is none.
decltype(&cuTensorMapEncodeTiled) encoder() {
  static const auto found = [] {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult result{};
    constexpr unsigned since = 12000;
    const cudaError_t asked =
        cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, since, cudaEnableDefault, &result);
    if (asked != cudaSuccess || result != cudaDriverEntryPointSuccess) function = nullptr;
    return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function);
  }();
  return found;
}

// (planes, rows, cols) bf16, copied in boxes of some rows of tile_columns.
int describe(CUtensorMap& map, const void* data, int planes, int rows, int cols, int box_rows) {
  const auto size = [](int count) { return static_cast<cuuint64_t>(count); };
  const cuuint64_t sizes[3] = {size(cols), size(rows), size(planes)};
  const cuuint64_t strides[2] = {2 * size(cols), 2 * size(cols) * size(rows)};
  const cuuint32_t box[3] = {tile_columns, static_cast<cuuint32_t>(box_rows), 1}, steps[3] = {1, 1, 1};
  const CUresult made = encoder()(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, planes > 1 ? 3 : 2, const_cast<void*>(data),
                                  sizes, strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                                  CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return made == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}

template <int n, int groups, bool gated>
int launch(const NarrowProductArgs& args, const Placement& placement) {
  const Matrix& matrix = args.matrix;
  constexpr int rows_at_once = gated ? n / 2 : n;
  Launched launched{};
  launched.rows = matrix.rows;
  launched.batch = args.batch;
  launched.tiles = ((gated ? matrix.rows / 2 : matrix.rows) + rows_at_once - 1) / rows_at_once;
  launched.column_tiles = (matrix.cols + tile_columns - 1) / tile_columns;
  launched.pieces = args.pieces;
  launched.out = args.out;
  launched.gated = args.gated;
  int code = describe(launched.weights, matrix.data, 1, matrix.rows, matrix.cols, rows_at_once);
  if (code == cudaSuccess) code = describe(launched.parts, args.parts, 2, args.batch, matrix.cols, group_rows);
  if (code != cudaSuccess) return code;
  const int blocks = std::min(launched.tiles * launched.pieces, placement.multiprocessors);
  return launch_kernel(narrow_product_kernel<n, groups, gated>, dim3(static_cast<unsigned>(blocks)),
                       Ring<n, groups>::threads, Ring<n, groups>::bytes, placement, launched);
}

// Shared memory that moves for a tile of 16 columns, which bounds a block once the weights come fast enough, times the
// tiles of the block that has the most.
int cost(int n, const NarrowProductArgs& args, const Placement& placement) {
  const int units = (args.matrix.rows + n - 1) / n * args.pieces;
  return (units + placement.multiprocessors - 1) / placement.multiprocessors * (16 + 5 * n / 32);
}

template <int groups>
int launch_groups(const NarrowProductArgs& args, const Placement& placement) {
  if (args.gated != nullptr) return launch<64, groups, true>(args, placement);
  const int small = cost(64, args, placement), medium = cost(136, args, placement), large = cost(168, args, placement);
  if (small <= medium && small <= large) return launch<64, groups, false>(args, placement);
  return medium <= large ? launch<136, groups, false>(args, placement) : launch<168, groups, false>(args, placement);
}

}  // namespace

bool narrow_product_runs_on(int major, int minor) { return major == 9 && minor == 0 && encoder() != nullptr; }

int narrow_product(const NarrowProductArgs& args, const Placement& placement) {
  const Matrix& matrix = args.matrix;
  const bool good = matrix.dtype == DType::bf16 && matrix.rows > 0 && matrix.cols > 0 && matrix.cols % 8 == 0 &&
                    args.batch > 0 && args.batch <= most_narrow_vectors && args.pieces > 0 &&
                    (args.gated == nullptr ? args.out != nullptr : args.pieces == 1 && matrix.rows % 4 == 0);
  if (!good || encoder() == nullptr) return cudaErrorInvalidValue;
  return args.batch <= group_rows ? launch_groups<1>(args, placement) : launch_groups<2>(args, placement);
}

}  // namespace kernels::device
