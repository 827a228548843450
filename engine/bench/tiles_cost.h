// What it costs to have the whole state at a coarser grain after every step, as a session's picture of it does: steps
// alone, with blocks that are brought to the host, and with blocks that stay on the device, taking turns.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/config.h"

#include <span>
#include <vector>

namespace engine {

struct TilesCost {
  int rows = 0, columns = 0;                              // of blocks in a head
  std::size_t bytes = 0;                                  // of all blocks
  std::vector<double> without_ms, host_ms, on_device_ms;  // a step by the host's clock, over each turn
  bool same_bits = false;                                 // the last blocks are those of the state that is read
  bool verified() const { return same_bits; }
};

// Steps the backend three times as often as `steps`, one by one and waiting for each as a session does, from where it
// stands. Blocks as fine as the window asks for them, or the head's cells.
Result<TilesCost> measure_tiles_cost(Backend& backend, const ModelConfig& config, std::span<const std::int32_t> ids,
                                     int steps);

}  // namespace engine
