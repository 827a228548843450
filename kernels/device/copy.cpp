#include "kernels/device/copy.h"

#include <cuda_runtime.h>

namespace kernels {

DeviceResult<void> copy_on_device(const Stream& stream, void* to, const void* from, std::size_t bytes) {
  return check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream.handle()), "cudaMemcpyAsync");
}

}  // namespace kernels
