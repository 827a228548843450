// Copies what lies anywhere in the host's memory, a mapped file above all, to the device: through two pinned buffers that
// take turns, filled by a few threads while the other one is on its way. Pages are asked for ahead of their turn. One
// thread calls.
#pragma once

#include "kernels/device/error.h"
#include "kernels/device/stream.h"

#include <cstddef>
#include <functional>
#include <span>

namespace kernels {

struct HostPiece {
  const void* host = nullptr;
  std::size_t bytes = 0;
  std::size_t offset = 0;  // from `device`
};

// Pieces in the order of their offsets, which are apart. `go_on` hears how many bytes are on their way and says whether to
// go on; null: always. Waits for the last copy. True: everything was copied; false: it was ended. Errors: no pinned
// memory, a failed copy.
DeviceResult<bool> upload(const Stream& stream, std::byte* device, std::span<const HostPiece> pieces,
                          const std::function<bool(std::size_t)>& go_on);

}  // namespace kernels
