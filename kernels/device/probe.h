// Whether this program holds machine code that device 0 can run.
#pragma once

namespace kernels {

// A CUDA error code: 0 when it does. Needs a device.
int probe_kernel_image();

}  // namespace kernels
