// Queues a kernel that may begin while the one before it still runs. Host code of .cu files only.
#pragma once

#include "kernels/fused/fused.h"

#include <cuda_runtime.h>

namespace kernels::device {

template <class Kernel, class Args>
int launch_kernel(Kernel kernel, dim3 grid, int threads, std::size_t shared_bytes, const Placement& placement,
                  const Args& args) {
  constexpr std::size_t without_asking = 48 << 10;
  if (shared_bytes > without_asking) {
    const cudaError_t allowed =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
    if (allowed != cudaSuccess) return allowed;
  }
  cudaLaunchAttribute overlap{};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = shared_bytes;
  config.stream = placement.stream;
  config.attrs = &overlap;
  config.numAttrs = placement.overlap ? 1 : 0;
  return cudaLaunchKernelEx(&config, kernel, args);
}

}  // namespace kernels::device
