// The whole recurrent state of one sequence at a coarser grain, as host values: see kernels/state_tiles.
#pragma once

#include "kernels/state_tiles/state_tiles.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

struct StateTiles {
  std::int64_t position = 0;              // tokens consumed
  int rows = 0, columns = 0;              // of blocks in a head
  std::vector<kernels::StateTile> tiles;  // (L, H, rows, columns)

  std::size_t bytes() const { return sizeof(kernels::StateTile) * tiles.size(); }
};

}  // namespace engine
