// Without CUDA nothing is shared with it.
#include "app/wiring/shared_tiles.h"

namespace app {

void turn_to_computing() {}

bool SharedBuffer::possible() { return false; }

engine::Result<std::unique_ptr<SharedBuffer>> SharedBuffer::create(unsigned int /*gl_buffer*/) {
  return engine::system_error("This program was built without CUDA.");
}

}  // namespace app
