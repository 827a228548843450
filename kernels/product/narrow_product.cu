// A block takes some rows of the matrix (and a piece of its columns) and all sequences. One warp copies: tiles of 64 columns
// of weights and of both parts of the activations travel through a ring of stages in shared memory. The other warps, in
// groups of four, multiply what has arrived. Weights of the first stages are asked for before the kernel waits for the one
// before it. Where there are more tiles than multiprocessors a block takes several, and the copies run ahead into the next.
//
// Shared memory bounds it: what a product instruction reads of both its tiles and what the copies write. So the instruction
// takes 64 rows of weights and all sequences, high and low parts beside each other, which reads least (`Tall`). Where rows
// are a little more than tiles of 64 rows can divide among the multiprocessors, it takes 64 sequences and 136 rows (`Wide`).
#include "kernels/device/activation.cuh"
#include "kernels/device/driver.h"
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
constexpr int group_rows = 64, group_warps = 4;    // what one product instruction takes, and who asks for it

struct Launched {
  CUtensorMap weights;  // (cols, rows), or (cols, 8, 2, rows / 16) where eight values and their eight gates alternate
  CUtensorMap parts;    // (cols, B, 2)
  int rows, batch;
  int tiles, column_tiles, pieces;
  float* out;
  void* gated;
};

// `groups` x 64 rows of weights at a time, half of them gates if gated, and up to `sequences` sequences.
template <int groups_, int sequences_, bool gated_>
struct Tall {
  static constexpr bool tall = true, gated = gated_;
  static constexpr int groups = groups_, rows = groups * group_rows, box_sequences = sequences_, boxes = 2;
  static constexpr int sums = sequences_;  // in a thread: high and low parts have their own
  static constexpr int staged_rows = gated ? rows / 2 : group_rows, staged_sequences = 32;
  static constexpr int pitch = staged_rows + 4;  // so that lanes that store a column meet different banks
  static constexpr int staged_floats = groups * staged_sequences * pitch;
  static_assert(!gated || groups == 1);
};

// 136 rows of weights and up to `groups` x 64 sequences.
template <int groups_>
struct Wide {
  static constexpr bool tall = false, gated = false;
  static constexpr int groups = groups_, rows = 136, box_sequences = group_rows, boxes = 2 * groups;
  static constexpr int sums = rows / 2;  // in a thread: both parts add to them
  static constexpr int staged_floats = groups * group_warps * 8 * 32;
};

template <class Shape>
struct Ring {
  static constexpr int box_bytes = Shape::box_sequences * row_bytes, parts_bytes = Shape::boxes * box_bytes;
  static constexpr int stage_bytes = parts_bytes + Shape::rows * row_bytes;
  static constexpr int staged_bytes = static_cast<int>(sizeof(float)) * Shape::staged_floats;
  static constexpr int available = (225 << 10) - staged_bytes;  // of 227 KiB
  static constexpr int stages = std::min(8, available / stage_bytes);
  static constexpr int bytes = stages * stage_bytes + staged_bytes + 1024;  // tiles start at multiples of 1024
  static constexpr int threads = (Shape::groups * group_warps + 1) * 32;
  static_assert(stages >= 3);
};

// The work of a block, one tile and piece after the other.
struct Unit {
  int tile, piece, first, end;  // columns, in tiles
  __device__ Unit(const Launched& args, int unit)
      : tile(unit % args.tiles),
        piece(unit / args.tiles),
        first(args.column_tiles * piece / args.pieces),
        end(args.column_tiles * (piece + 1) / args.pieces) {
    if (first < end) return;
    first = args.column_tiles;  // more pieces than columns: what lies outside of the matrix is zero
    end = first + 1;
  }
};

template <class Shape>
__device__ __forceinline__ void copy_all(const Launched& args, std::uint32_t ring, std::uint32_t full,
                                         std::uint32_t empty) {
  using R = Ring<Shape>;
  const auto ask_for_weights = [&](int stage, int tile, int column) {
    const std::uint32_t barrier = full + 8 * stage;
    hopper::arrive_expecting(barrier, R::stage_bytes);
    hopper::copy_box_once(ring + stage * R::stage_bytes + R::parts_bytes, args.weights, barrier, column * tile_columns,
                          Shape::gated ? 0 : tile * Shape::rows, Shape::gated ? tile * Shape::rows / 16 : 0);
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
      for (int box = 0; box < Shape::boxes; ++box) {
        const int each = Shape::boxes / 2;  // of a part
        hopper::copy_box(ring + stage * R::stage_bytes + box * R::box_bytes, args.parts, full + 8 * stage,
                         column * tile_columns, box % each * Shape::box_sequences, box / each);
      }
    }
  }
}

// Four neighbouring rows of one sequence.
template <class Shape>
__device__ __forceinline__ void store(const Launched& args, const Unit& unit, int b, int row, const float4& values) {
  const int rows = Shape::gated ? args.rows / 2 : args.rows;
  if (b >= args.batch || row >= rows) return;
  if constexpr (Shape::gated) {
    store_parts(args.gated, static_cast<std::size_t>(b) * rows + row, static_cast<std::size_t>(args.batch) * rows,
                values);
  } else {
    float* const out = args.out + (static_cast<std::size_t>(unit.piece) * args.batch + b) * rows + row;
    if (rows % 4 == 0) {
      *reinterpret_cast<float4*>(out) = values;
    } else {
      const float one[4] = {values.x, values.y, values.z, values.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        if (row + i < rows) out[i] = one[i];
      }
    }
  }
}

// A lane's sums are of one or two rows and many sequences, a sequence's rows are neighbours in memory: they change places in
// shared memory, some sequences at a time. The group's four warps together.
template <class Shape>
__device__ __forceinline__ void store_tall(const Launched& args, const Unit& unit, const float (&sums)[Shape::sums],
                                           float* staged, int group) {
  constexpr int rows = Shape::staged_rows, at_once = Shape::staged_sequences, parts = Shape::sums / 2;
  const int thread = static_cast<int>(threadIdx.x) % (group_warps * 32), warp = thread / 32, lane = thread % 32;
  float* const mine = staged + group * at_once * Shape::pitch;
#pragma unroll
  for (int first = 0; first < Shape::box_sequences; first += at_once) {
    hopper::group_barrier(group + 1);
#pragma unroll
    for (int j = 0; j < at_once / 8; ++j) {
      const float* const high = sums + (first / 8 + j) * 4;
      const float* const low = high + parts;
#pragma unroll
      for (int i = 0; i < 2; ++i) {  // two sequences
        float* const column = mine + (8 * j + lane % 4 * 2 + i) * Shape::pitch;
        const float upper = high[i] + low[i], lower = high[i + 2] + low[i + 2];
        if constexpr (Shape::gated) {
          column[8 * warp + lane / 4] = upper * silu(lower);
        } else {
          column[16 * warp + lane / 4] = upper;
          column[16 * warp + lane / 4 + 8] = lower;
        }
      }
    }
    hopper::group_barrier(group + 1);
    constexpr int quads = rows / 4;  // lanes that share a sequence
#pragma unroll
    for (int b = thread / quads; b < at_once; b += group_warps * 32 / quads) {
      const float4 values = *reinterpret_cast<const float4*>(mine + b * Shape::pitch + thread % quads * 4);
      store<Shape>(args, unit, first + b, (unit.tile * Shape::groups + group) * rows + thread % quads * 4, values);
    }
  }
}

// Each warp has 16 sequences: 8 of them and 32 rows at a time change lanes, so that whole lines are written.
template <class Shape>
__device__ __forceinline__ void store_wide(const Launched& args, const Unit& unit, const float (&sums)[Shape::sums],
                                           float* staged) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  float* const mine = staged + warp * 8 * 32;
  // Quads of a row are stored swizzled: lanes of different rows meet different banks.
  const auto at = [&](int row, int quad) { return mine + row * 32 + (quad ^ row) * 4; };
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int first = 16 * warp + 8 * half;
#pragma unroll
    for (int c = 0; c < (Shape::rows + 31) / 32; ++c) {
      __syncwarp();
#pragma unroll
      for (int j = 4 * c; j < std::min(4 * c + 4, Shape::rows / 8); ++j) {
        *reinterpret_cast<float2*>(at(lane / 4, 2 * (j - 4 * c) + lane % 4 / 2) + lane % 2 * 2) =
            make_float2(sums[4 * j + 2 * half], sums[4 * j + 2 * half + 1]);
      }
      __syncwarp();
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int b = lane / 8 + 4 * i, row = c * 32 + lane % 8 * 4;
        if (row < Shape::rows) {
          store<Shape>(args, unit, first + b, unit.tile * Shape::rows + row,
                       *reinterpret_cast<const float4*>(at(b, lane % 8)));
        }
      }
    }
  }
}

template <class Shape>
__device__ __forceinline__ void multiply_all(const Launched& args, std::uint32_t ring, std::uint32_t full,
                                             std::uint32_t empty, float* staged) {
  using R = Ring<Shape>;
  const int group = static_cast<int>(threadIdx.x) / (group_warps * 32);
  const auto give_back = [&](int used) {
    if (threadIdx.x % 32 == 0) hopper::arrive(empty + 8 * (used % R::stages));
  };
  int step = 0;
  for (int u = static_cast<int>(blockIdx.x); u < args.tiles * args.pieces; u += static_cast<int>(gridDim.x)) {
    const Unit unit(args, u);
    float sums[Shape::sums];
    for (int column = unit.first; column < unit.end; ++column, ++step) {
      const int stage = step % R::stages;
      hopper::wait(full + 8 * stage, step / R::stages % 2);
      const std::uint32_t parts = ring + stage * R::stage_bytes, weights = parts + R::parts_bytes;
      hopper::products_begin();
#pragma unroll
      for (int k = 0; k < tile_columns / 16; ++k) {
        const int more = column > unit.first || k > 0 ? 1 : 0;
        if constexpr (Shape::tall) {
          hopper::add_product(sums, hopper::tile(weights + group * group_rows * row_bytes) + 2 * k,
                              hopper::tile(parts) + 2 * k, more);
        } else {
          const std::uint32_t high = parts + group * R::box_bytes, low = high + Shape::groups * R::box_bytes;
          hopper::add_product(sums, hopper::tile(high) + 2 * k, hopper::tile(weights) + 2 * k, more);
          hopper::add_product(sums, hopper::tile(low) + 2 * k, hopper::tile(weights) + 2 * k, 1);
        }
      }
      hopper::products_end();
      if (column == unit.first) continue;
      hopper::products_wait<1>();
      give_back(step - 1);
    }
    hopper::products_wait<0>();
    give_back(step - 1);
    if constexpr (Shape::tall) {
      store_tall<Shape>(args, unit, sums, staged, group);
    } else {
      store_wide<Shape>(args, unit, sums, staged);
    }
  }
}

template <class Shape>
__global__ void __launch_bounds__(Ring<Shape>::threads, 1)
    narrow_product_kernel(const __grid_constant__ Launched args) {
  using R = Ring<Shape>;
  extern __shared__ std::uint8_t shared[];
  __shared__ std::uint64_t barriers[2 * R::stages];
  const std::uint32_t start = hopper::shared_address(shared), ring = (start + 1023U) & ~1023U;
  float* const staged = reinterpret_cast<float*>(shared + (ring - start) + R::stages * R::stage_bytes);
  const std::uint32_t full = hopper::shared_address(barriers), empty = full + 8 * R::stages;
  constexpr int workers = Shape::groups * group_warps * 32;
  if (threadIdx.x == 0) {
    for (int s = 0; s < R::stages; ++s) {
      hopper::init(full + 8 * s, 1);
      hopper::init(empty + 8 * s, workers / 32);
    }
    hopper::inits_done();
  }
  __syncthreads();
  let_next_start();
  if (threadIdx.x < workers) {
    multiply_all<Shape>(args, ring, full, empty, staged);
  } else if (threadIdx.x == workers) {
    copy_all<Shape>(args, ring, full, empty);
  }
}

// The driver's function that describes a tensor to the copies; null where there is none.
decltype(&cuTensorMapEncodeTiled) encoder() {
  static const auto found =
      reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(driver_function("cuTensorMapEncodeTiled"));
  return found;
}

// A bf16 tensor of some dimensions, the innermost first and contiguous; strides, in elements, are those of the others.
template <int dimensions>
int describe(CUtensorMap& map, const void* data, const int (&sizes)[dimensions], const int (&strides)[dimensions - 1],
             const int (&box)[dimensions]) {
  cuuint64_t size[dimensions], stride[dimensions - 1];
  cuuint32_t box_size[dimensions], step[dimensions];
  for (int i = 0; i < dimensions; ++i) {
    size[i] = static_cast<cuuint64_t>(sizes[i]);
    box_size[i] = static_cast<cuuint32_t>(box[i]);
    step[i] = 1;
    if (i > 0) stride[i - 1] = 2 * static_cast<cuuint64_t>(strides[i - 1]);
  }
  const CUresult made = encoder()(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, dimensions, const_cast<void*>(data), size,
                                  stride, box_size, step, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                                  CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return made == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}

template <class Shape>
int launch(const NarrowProductArgs& args, const Placement& placement) {
  const Matrix& m = args.matrix;
  Launched launched{};
  launched.rows = m.rows;
  launched.batch = args.batch;
  launched.tiles = (m.rows + Shape::rows - 1) / Shape::rows;
  launched.column_tiles = (m.cols + tile_columns - 1) / tile_columns;
  launched.pieces = args.pieces;
  launched.out = args.out;
  launched.gated = args.gated;
  int code = cudaSuccess;
  if constexpr (Shape::gated) {
    code = describe<4>(launched.weights, m.data, {m.cols, 8, 2, m.rows / 16}, {m.cols, m.rows / 2 * m.cols, 8 * m.cols},
                       {tile_columns, 8, 2, Shape::rows / 16});
  } else {
    code = describe<4>(launched.weights, m.data, {m.cols, m.rows, 1, 1}, {m.cols, m.cols, m.cols},
                       {tile_columns, Shape::rows, 1, 1});
  }
  if (code == cudaSuccess) {
    code = describe<3>(launched.parts, args.parts, {m.cols, args.batch, 2}, {m.cols, args.batch * m.cols},
                       {tile_columns, Shape::box_sequences, 1});
  }
  if (code != cudaSuccess) return code;
  const int blocks = std::min(launched.tiles * launched.pieces, placement.multiprocessors);
  return launch_kernel(narrow_product_kernel<Shape>, dim3(static_cast<unsigned>(blocks)), Ring<Shape>::threads,
                       Ring<Shape>::bytes, placement, launched);
}

// KiB that move through shared memory for 16 columns, times the tiles of the block that has the most.
template <class Shape>
int cost(const NarrowProductArgs& args, const Placement& placement) {
  constexpr int weights = Shape::rows / 32, parts = Ring<Shape>::parts_bytes / 4096;
  constexpr int read = Shape::tall ? weights + Shape::groups * parts : 2 * Shape::groups * weights + parts;
  const int units = (args.matrix.rows + Shape::rows - 1) / Shape::rows * args.pieces;
  return (units + placement.multiprocessors - 1) / placement.multiprocessors * (weights + parts + read);
}

template <int sequences>
int launch_for(const NarrowProductArgs& args, const Placement& placement) {
  if (args.gated != nullptr) return launch<Tall<1, sequences, true>>(args, placement);
  // Whatever the batch is: they add in different orders.
  const int small = cost<Tall<1, most_narrow_vectors, false>>(args, placement);
  const int large = cost<Tall<2, most_narrow_vectors, false>>(args, placement);
  if (cost<Wide<2>>(args, placement) < std::min(small, large)) {
    return launch<Wide<(sequences + group_rows - 1) / group_rows>>(args, placement);
  }
  return small <= large ? launch<Tall<1, sequences, false>>(args, placement)
                        : launch<Tall<2, sequences, false>>(args, placement);
}

}  // namespace

bool narrow_product_runs_on(int major, int minor) { return major == 9 && minor == 0 && encoder() != nullptr; }

int narrow_product(const NarrowProductArgs& args, const Placement& placement) {
  const Matrix& matrix = args.matrix;
  const bool good = matrix.dtype == DType::bf16 && matrix.rows > 0 && matrix.cols > 0 && matrix.cols % 8 == 0 &&
                    args.batch > 0 && args.batch <= most_narrow_vectors && args.pieces > 0 &&
                    (args.gated == nullptr ? args.out != nullptr : args.pieces == 1 && matrix.rows % 16 == 0);
  if (!good || encoder() == nullptr) return cudaErrorInvalidValue;
  if (args.batch <= 32) return launch_for<32>(args, placement);
  return args.batch <= 64 ? launch_for<64>(args, placement) : launch_for<128>(args, placement);
}

}  // namespace kernels::device
