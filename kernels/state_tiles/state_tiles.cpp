#include "kernels/state_tiles/state_tiles.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace kernels {

namespace {

template <class T>
StateTile tile_of(const StateTilesArgs<T>& args, const T* head, int row, int column) {
  const int p_end = block_begin(row + 1, args.rows, args.headdim);
  const int n_begin = block_begin(column, args.columns, args.d_state);
  const int n_end = block_begin(column + 1, args.columns, args.d_state);
  std::uint32_t key = 0;
  double squares = 0;
  int cells = 0;
  for (int p = block_begin(row, args.rows, args.headdim); p < p_end; ++p) {
    const T* line = head + static_cast<std::size_t>(p) * static_cast<std::size_t>(args.d_state);
    for (int n = n_begin; n < n_end; ++n, ++cells) {
      const auto value = static_cast<float>(line[n]);
      key = std::max(key, magnitude_key(std::bit_cast<std::uint32_t>(value)));
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
  }
  const std::uint32_t largest = bits_of_key(key);
  const auto rms = static_cast<float>(std::sqrt(squares / cells));
  return {std::bit_cast<float>(is_not_a_number(largest) ? not_a_number : largest),
          rms != rms ? std::bit_cast<float>(not_a_number) : rms};
}

void add_to(StateTilesSummary& summary, float largest) {
  const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(largest) & 0x7FFFFFFFU;
  if (is_finite(magnitude)) {
    summary.largest = std::max(summary.largest, magnitude);
  } else {
    summary.not_finite = 1;
  }
}

template <class T>
void all_tiles(const StateTilesArgs<T>& args) {
  const std::size_t head_cells = static_cast<std::size_t>(args.headdim) * static_cast<std::size_t>(args.d_state);
  StateTile* tile = args.tiles;
  for (int layer = 0; layer < args.layers; ++layer) {
    const T* head = args.h + static_cast<std::size_t>(layer) * args.layer_stride;
    for (int h = 0; h < args.heads; ++h, head += head_cells) {
      for (int row = 0; row < args.rows; ++row) {
        for (int column = 0; column < args.columns; ++column, ++tile) {
          *tile = tile_of(args, head, row, column);
          if (args.summary != nullptr) add_to(*args.summary, tile->largest);
        }
      }
    }
  }
}

}  // namespace

void state_tiles(const StateTilesArgs<float>& args) { all_tiles(args); }
void state_tiles(const StateTilesArgs<double>& args) { all_tiles(args); }

}  // namespace kernels
