#include "kernels/device/ranks.cuh"
#include "kernels/fused/launch.cuh"
#include "kernels/fused/mixer.cuh"

#include <type_traits>

namespace kernels::device {

namespace {

bool changed(const LayerChanges& changes) {
  return changes.heads != nullptr || changes.ranks != nullptr || changes.pairs != nullptr;
}

// Of 64 registers a thread, so that four heads share a multiprocessor; shared memory lets only three of rank 8.
constexpr int resident(int rank) { return rank < 8 ? 4 : 3; }

// The shape of the released models, for which indices are known when compiling.
constexpr int released_headdim = 64, released_state = 128;

template <class S, bool parts, int lanes, int quads, int rank, int headdim, int d_state, int split = 1>
int launch(const MixerArgs& args, const Placement& placement) {
  constexpr int held = 2;
  const dim3 grid(static_cast<unsigned>(args.heads * split), static_cast<unsigned>(args.batch));
  const auto queue = [&](auto tables) {
    return launch_kernel(mixer_kernel<lanes, quads, held, rank, headdim, d_state, S, split, parts,
                                      decltype(tables)::value, resident(rank)>,
                         grid, mixer_block, mixer_shared_bytes(args), placement, args, split);
  };
  if constexpr (rank > 0) {  // worth a kernel without tables
    if (!changed(args.changes)) return queue(std::false_type{});
  }
  return queue(std::true_type{});
}

// With fewer heads than multiprocessors, two of them share a head; a single rank is too little work for that.
template <class S, bool parts, int rank>
int launch_released(const MixerArgs& args, const Placement& placement) {
  const bool few = rank > 1 && !parts && 2 * args.heads * args.batch <= placement.multiprocessors;
  if (few && placement.clusters && args.norm == nullptr && args.half_squares != nullptr) {
    return launch<S, false, 16, 2, rank, released_headdim, released_state, 2>(args, placement);
  }
  return launch<S, parts, 16, 2, rank, released_headdim, released_state>(args, placement);
}

bool is_released(const MixerArgs& args) { return args.headdim == released_headdim && args.d_state == released_state; }

template <class S, bool parts>
int launch_state(const MixerArgs& args, const Placement& placement) {
  if (is_released(args)) {
    switch (args.rank) {
      case 1:
        if (args.mimo_x == nullptr) return launch_released<S, parts, 1>(args, placement);
        break;
      case 2:
        return launch_released<S, parts, 2>(args, placement);
      case 4:
        return launch_released<S, parts, 4>(args, placement);
      case 8:
        return launch_released<S, parts, 8>(args, placement);
      default:
        break;
    }
  }
  if (args.d_state <= 8) return launch<S, parts, 2, 1, 0, 0, 0>(args, placement);
  if (args.d_state <= 16) return launch<S, parts, 2, 2, 0, 0, 0>(args, placement);
  if (args.d_state <= 32) return launch<S, parts, 4, 2, 0, 0, 0>(args, placement);
  if (args.d_state <= 64) return launch<S, parts, 8, 2, 0, 0, 0>(args, placement);
  if (args.d_state <= 128) return launch<S, parts, 16, 2, 0, 0, 0>(args, placement);
  return launch<S, parts, 32, 2, 0, 0, 0>(args, placement);
}

}  // namespace

bool mixer_makes_keys(const MixerArgs& args) {
  if (!is_released(args)) return false;
  return args.rank == 1 ? args.mimo_x == nullptr : args.rank == 2 || args.rank == 4 || args.rank == 8;
}

std::size_t mixer_shared_bytes(const MixerArgs& args) {
  const std::size_t quad_bytes = args.bf16_state ? sizeof(Quad<__nv_bfloat16>) : sizeof(Quad<float>);
  const MixerShared shared(args.rank, args.headdim, args.d_state, args.mimo_x != nullptr, args.norm != nullptr);
  return quad_bytes * chunk_quads + sizeof(float) * static_cast<std::size_t>(shared.size);
}

int mixer(const MixerArgs& args, const Placement& placement) {
  if (args.rank < 1 || args.rank > max_rank || args.d_state % 8 != 0 || args.d_state > 256 ||
      args.headdim > mixer_block) {
    return cudaErrorInvalidValue;
  }
  if (args.last_keys.last != nullptr && (args.second_part == 0 || !mixer_makes_keys(args) || changed(args.changes))) {
    return cudaErrorInvalidValue;
  }
  if (args.second_part == 0) {
    return args.bf16_state ? launch_state<__nv_bfloat16, false>(args, placement)
                           : launch_state<float, false>(args, placement);
  }
  if (args.out_parts == nullptr) return cudaErrorInvalidValue;
  return args.bf16_state ? launch_state<__nv_bfloat16, true>(args, placement)
                         : launch_state<float, true>(args, placement);
}

}  // namespace kernels::device
