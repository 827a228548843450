#include "kernels/device/error.h"

#include <cuda_runtime_api.h>

#include <fmt/core.h>

namespace kernels {

std::string describe_cuda_error(int code) {
  const auto error = static_cast<cudaError_t>(code);
  return fmt::format("{} ({}, {})", cudaGetErrorString(error), cudaGetErrorName(error), code);
}

bool out_of_memory(const DeviceError& error) { return error.code == cudaErrorMemoryAllocation; }

tl::unexpected<DeviceError> cuda_failure(int code, const std::string& call) {
  cudaGetLastError();  // answered here: it must not be the next launch's
  return tl::unexpected<DeviceError>(DeviceError{code, call + ": " + describe_cuda_error(code)});
}

DeviceResult<void> check_cuda(int code, const std::string& call) {
  if (code != 0) return cuda_failure(code, call);
  return {};
}

}  // namespace kernels
