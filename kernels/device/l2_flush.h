// Empties the device's L2 of whatever others left there, by reading four times its size of something else: for timing work
// that finds its data in memory. Nothing of it is dirty, so no write is left over for the work that follows.
#pragma once

#include "kernels/device/buffer.h"
#include "kernels/device/stream.h"

#include <cstddef>

namespace kernels {

class L2Flush {
 public:
  L2Flush() = default;
  // Allocates, fills and waits. Errors: no memory, a failure of the device.
  static DeviceResult<L2Flush> create(std::size_t l2_bytes, const Stream& stream);

  // Queues one reading of the buffer.
  DeviceResult<void> queue(const Stream& stream) const;
  explicit operator bool() const { return buffer_.bytes() > 0; }

 private:
  DeviceBuffer buffer_;
};

}  // namespace kernels
