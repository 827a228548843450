#include "kernels/device/driver.h"

#include <cuda_runtime_api.h>

namespace kernels {

void* driver_function(const char* name) {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult result{};
#if CUDART_VERSION >= 12050
  constexpr unsigned since = 12000;
  const cudaError_t asked = cudaGetDriverEntryPointByVersion(name, &function, since, cudaEnableDefault, &result);
#else
  const cudaError_t asked = cudaGetDriverEntryPoint(name, &function, cudaEnableDefault, &result);
#endif
  return asked == cudaSuccess && result == cudaDriverEntryPointSuccess ? function : nullptr;
}

}  // namespace kernels
