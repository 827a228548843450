// How the device layer reports failures: the call that failed, CUDA's name for the failure and its text. Codes travel as
// plain ints, so that no header of this folder needs the CUDA Toolkit.
#pragma once

#include <tl/expected.hpp>

#include <string>
#include <utility>

namespace kernels {

struct DeviceError {
  int code = 0;         // cudaError_t
  std::string message;  // "cudaMalloc (12 bytes): out of memory (cudaErrorMemoryAllocation)"
};

// Whether memory ran out: the device goes on working, unlike after a failure inside a kernel.
bool out_of_memory(const DeviceError& error);

template <class T>
using DeviceResult = tl::expected<T, DeviceError>;

// "out of memory (cudaErrorMemoryAllocation, 2)" for a code returned by a CUDA call or by a launcher of this library.
std::string describe_cuda_error(int code);

// An empty result for code 0, else an error that names the call.
DeviceResult<void> check_cuda(int code, const std::string& call);

// As check_cuda for a code that is known to be a failure.
tl::unexpected<DeviceError> cuda_failure(int code, const std::string& call);

}  // namespace kernels
