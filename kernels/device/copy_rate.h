// How fast the device copies its own memory: the limit that bandwidth figures are held against, measured in the same run.
#pragma once

#include "kernels/device/error.h"

namespace kernels {

// Bytes per second, read and written bytes both counted: the best of several copies of 64 MiB to 1 GiB from one buffer
// to another. Sizes that don't fit beside what is allocated already are left out. Error: not even the smallest fits, or a
// failure of the device.
DeviceResult<double> measure_copy_rate();

}  // namespace kernels
