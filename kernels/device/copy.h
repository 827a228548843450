// Copies from one place of the device to another, queued on a stream.
#pragma once

#include "kernels/device/error.h"
#include "kernels/device/stream.h"

#include <cstddef>

namespace kernels {

DeviceResult<void> copy_on_device(const Stream& stream, void* to, const void* from, std::size_t bytes);

}  // namespace kernels
