// The whole recurrent state of one sequence at a coarser grain: see kernels/state_tiles. As values on the host, or left
// where the device made them, for a view that draws on the same device.
#pragma once

#include "engine/base/result.h"
#include "kernels/state_tiles/state_tiles.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace engine {

// Blocks in the memory of the GPU that made them.
class DeviceTiles {
 public:
  virtual ~DeviceTiles() = default;
  // Queues a copy of them to memory of the same GPU (bytes() of it) on a stream of the caller's own (a cudaStream_t);
  // it begins when they are made. One thread at a time, any. They must live until this returns, not until the copy ends.
  virtual Result<void> copy_to(void* memory, void* stream) const = 0;
};

struct StateTiles {
  std::int64_t position = 0;                     // tokens consumed
  int rows = 0, columns = 0;                     // of blocks in a head
  std::size_t count = 0;                         // L x H x rows x columns
  std::span<const kernels::StateTile> tiles;     // (L, H, rows, columns); empty where only the device has them
  std::shared_ptr<const void> memory;            // that they lie in
  std::shared_ptr<const DeviceTiles> on_device;  // null: they are on the host
  float largest = 0;                             // |value| over the blocks that are finite
  bool all_finite = true;

  std::size_t bytes() const { return sizeof(kernels::StateTile) * count; }
  void hold(std::vector<kernels::StateTile> values) {
    const auto held = std::make_shared<const std::vector<kernels::StateTile>>(std::move(values));
    tiles = *held;
    count = held->size();
    memory = held;
  }
  void summarise(const kernels::StateTilesSummary& summary);
};

// Blocks that were asked for and may be on their way.
class ComingTiles {
 public:
  virtual ~ComingTiles() = default;
  virtual bool arrived() const = 0;  // without waiting
  // Waits for them; once.
  virtual Result<std::shared_ptr<const StateTiles>> take() = 0;
};

struct TilesRequest {
  int rows = 8, columns = 16;
  bool on_device = false;  // leave them where a GPU made them; a host's backend does not care
};

}  // namespace engine
