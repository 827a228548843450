#include "tests/gpu/failure.h"

#include <cuda_runtime.h>

namespace gpu_test {

namespace {

__global__ void trap_kernel() { __trap(); }

}  // namespace

void launch_trap(kernels::StreamHandle stream) { trap_kernel<<<1, 1, 0, stream>>>(); }

}  // namespace gpu_test
