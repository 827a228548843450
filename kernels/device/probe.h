// Whether this program holds machine code that device 0 can run.
#pragma once

namespace kernels {

// A CUDA error code: 0 when it does. Needs a device. `architecture` becomes the one that the code in use was compiled for,
// 90 being 9.0: older than the device's where the driver compiled it from an older architecture's PTX.
int probe_kernel_image(int& architecture);

}  // namespace kernels
