#include "kernels/fused/fused_projection.cuh"
#include "kernels/fused/launch.cuh"

#include <algorithm>
#include <type_traits>

namespace kernels::device {

namespace {

constexpr int max_pieces = 8;  // of a row in each lane

// 16-byte pieces of a row, and how many of them each lane of a full block takes: a power of two.
struct Division {
  int row_pieces, lane_pieces, warps;
};

Division divide(const Matrix& matrix) {
  const int row_pieces = matrix.cols * static_cast<int>(size_of(matrix.dtype)) / 16;
  int lane_pieces = 1;
  while (lane_pieces * max_warps * warp_size < row_pieces) lane_pieces *= 2;
  const int per_warp = warp_size * lane_pieces;
  return {row_pieces, lane_pieces, std::max(1, (row_pieces + per_warp - 1) / per_warp)};
}

template <class T, int pieces, int tile, ProjectionMode mode, bool normed>
int launch_tile(FusedProblem problem, const Division& division, const Placement& placement) {
  // Enough bytes in flight for the memory's latency, few enough registers for three blocks (two with more sequences).
  constexpr int depth = std::max(1, 8 / pieces);
  constexpr int resident = tile == 1 ? 3 : 2;
  constexpr int many_rows = 16384, most_rows_per_block = 128;
  const int blocks_per_multiprocessor = problem.outputs >= many_rows ? 8
                                        : pieces > 1                 ? 2
                                        : division.warps < max_warps ? 4
                                                                     : 3;
  const int blocks = placement.multiprocessors * blocks_per_multiprocessor;
  problem.rows_per_block = std::min((problem.outputs + blocks - 1) / blocks, most_rows_per_block);
  const int rows = mode == ProjectionMode::gated ? 2 * problem.rows_per_block : problem.rows_per_block;
  // To a multiple of 16 bytes: the compiler reads neighbours together and drops what it did not need.
  const std::size_t shared_bytes =
      (sizeof(float) * static_cast<std::size_t>((rows + 1) * tile * division.warps) + 15) / 16 * 16;
  const dim3 grid(static_cast<unsigned>((problem.outputs + problem.rows_per_block - 1) / problem.rows_per_block),
                  static_cast<unsigned>((problem.batch + tile - 1) / tile));
  return launch_kernel(fused_projection_kernel<T, pieces, depth, tile, mode, normed, resident>, grid,
                       division.warps * warp_size, shared_bytes, placement, problem);
}

template <class T, ProjectionMode mode, bool normed>
int launch_mode(const FusedProblem& problem, const Division& division, const Placement& placement) {
  const auto with_pieces = [&](auto pieces) {
    constexpr int n = decltype(pieces)::value;
    constexpr int tile = n <= 2 ? 4 : 1;  // sequences whose input fits a lane's registers
    if (problem.batch == 1) return launch_tile<T, n, 1, mode, normed>(problem, division, placement);
    return launch_tile<T, n, tile, mode, normed>(problem, division, placement);
  };
  switch (division.lane_pieces) {
    case 1:
      return with_pieces(std::integral_constant<int, 1>{});
    case 2:
      return with_pieces(std::integral_constant<int, 2>{});
    case 4:
      return with_pieces(std::integral_constant<int, 4>{});
    default:
      return with_pieces(std::integral_constant<int, max_pieces>{});
  }
}

}  // namespace

bool fused_projection_takes(const Matrix& matrix) {
  const std::size_t row_bytes = static_cast<std::size_t>(matrix.cols) * size_of(matrix.dtype);
  return row_bytes % 16 == 0 && row_bytes <= std::size_t{16} * max_pieces * max_warps * warp_size;
}

int fused_projection(const FusedProjectionArgs& args, const Placement& placement) {
  const ProjectionArgs<float>& p = args.projection;
  if (!fused_projection_takes(p.weight) || !aligned_16(p.weight.data)) return cudaErrorInvalidValue;
  FusedProblem problem{};
  problem.w = p.weight.data;
  problem.x = p.in;
  problem.norm = args.norm;
  problem.y = p.out;
  problem.outputs = p.out_width();
  problem.cols = p.weight.cols;
  problem.batch = p.batch;
  problem.coefficients = args.coefficients;
  problem.next = {args.next, args.next_bytes};
  const Division division = divide(p.weight);
  int code = cudaErrorInvalidValue;
  with_element_type(p.weight.dtype, [&](const auto* type) {
    using T = std::remove_const_t<std::remove_pointer_t<decltype(type)>>;
    switch (p.mode) {
      case ProjectionMode::store:
        if (args.norm != nullptr) code = launch_mode<T, ProjectionMode::store, true>(problem, division, placement);
        break;
      case ProjectionMode::gated:
        if (args.norm != nullptr) code = launch_mode<T, ProjectionMode::gated, true>(problem, division, placement);
        break;
      case ProjectionMode::accumulate:
        if (args.norm == nullptr)
          code = launch_mode<T, ProjectionMode::accumulate, false>(problem, division, placement);
        break;
    }
  });
  return code;
}

}  // namespace kernels::device
