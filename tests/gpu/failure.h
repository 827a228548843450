// A kernel that ends the device's context, to see what the backend answers afterwards.
#pragma once

#include "kernels/device/stream.h"

namespace gpu_test {

void launch_trap(kernels::StreamHandle stream);

}  // namespace gpu_test
