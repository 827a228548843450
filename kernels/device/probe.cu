#include "kernels/device/probe.h"

#include <cuda_runtime.h>

namespace kernels {

namespace {

__global__ void probe_kernel() {}

}  // namespace

int probe_kernel_image(int& architecture) {
  cudaFuncAttributes attributes{};
  const cudaError_t code = cudaFuncGetAttributes(&attributes, probe_kernel);
  if (code != cudaSuccess) cudaGetLastError();
  architecture = attributes.ptxVersion;
  return code;
}

}  // namespace kernels
