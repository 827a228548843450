// Blocks of the state from CUDA's memory to OpenGL's without the host, where one GPU does both: a GL buffer that is
// registered with CUDA. Built without CUDA, it is never possible. UI thread only, with the GL context current; no GL and no
// CUDA types here.
#pragma once

#include "engine/backend/state_tiles.h"

#include <memory>

namespace app {

class SharedBuffer {
 public:
  virtual ~SharedBuffer() = default;  // before the buffer and its context go

  // Whether the GPU behind the current GL context is the one that the CUDA backend uses. The first call may wait for the
  // drivers; ask where such a backend is open.
  static bool possible();
  // Of a GL buffer object with storage. Error (system): CUDA refuses it.
  static engine::Result<std::unique_ptr<SharedBuffer>> create(unsigned int gl_buffer);

  // Queues the copy of the blocks into the buffer; what GL is told afterwards sees them. Does not wait for them. The buffer
  // has room.
  virtual engine::Result<void> take(const engine::DeviceTiles& tiles) = 0;
};

// Behind the commands of a frame, between two steps: queues an empty piece of work, so that a GPU that has drawn turns back
// to computing now. Else it does so under the next step's first kernel, which then begins 150 us late.
void turn_to_computing();

}  // namespace app
