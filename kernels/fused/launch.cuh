// Queues a kernel that may begin while the one before it still runs. Host code of .cu files only.
#pragma once

#include "kernels/fused/fused.h"

#include <cuda_runtime.h>

namespace kernels::device {

// `cluster` neighbouring blocks of the grid's x run together and have a barrier of their own; compute capability 9.0.
template <class Kernel, class Args>
int launch_kernel(Kernel kernel, dim3 grid, int threads, std::size_t shared_bytes, const Placement& placement,
                  const Args& args, unsigned cluster = 1) {
  constexpr std::size_t without_asking = 47 << 10;  // of 48 KiB, which a kernel's fixed arrays are part of
  if (shared_bytes > without_asking) {
    // As much as there is, always the same: another thread's launch may come between this and the next line.
    int most = 0;
    cudaFuncAttributes own{};
    cudaError_t allowed = cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0);
    if (allowed == cudaSuccess) allowed = cudaFuncGetAttributes(&own, kernel);
    if (allowed == cudaSuccess) {
      allowed = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     most - static_cast<int>(own.sharedSizeBytes));
    }
    if (allowed != cudaSuccess) return allowed;
  }
  cudaLaunchAttribute attributes[2] = {};
  unsigned count = 0;
  if (placement.overlap) {
    attributes[count].id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attributes[count++].val.programmaticStreamSerializationAllowed = 1;
  }
  if (cluster > 1) {
    attributes[count].id = cudaLaunchAttributeClusterDimension;
    attributes[count++].val.clusterDim = {cluster, 1, 1};
  }
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = shared_bytes;
  config.stream = placement.stream;
  config.attrs = attributes;
  config.numAttrs = count;
  return cudaLaunchKernelEx(&config, kernel, args);
}

}  // namespace kernels::device
