#include "kernels/device/buffer.h"

#include <cuda_runtime_api.h>

#include <fmt/core.h>

#include <algorithm>

namespace kernels {

DeviceBuffer::~DeviceBuffer() {
  if (data_ != nullptr) cudaFree(data_);
}

DeviceResult<DeviceBuffer> DeviceBuffer::allocate(std::size_t bytes, const char* what) {
  DeviceBuffer buffer;
  if (const int code = cudaMalloc(&buffer.data_, std::max<std::size_t>(bytes, 1)); code != 0) {
    cudaGetLastError();  // running out of memory is no reason for the next call to fail
    std::size_t free_bytes = 0, total_bytes = 0;
    cudaMemGetInfo(&free_bytes, &total_bytes);
    return cuda_failure(
        code, fmt::format("cudaMalloc of {:.1f} MiB for {} ({:.1f} MiB of {:.1f} MiB free)",
                          static_cast<double>(bytes) / 1048576.0, what, static_cast<double>(free_bytes) / 1048576.0,
                          static_cast<double>(total_bytes) / 1048576.0));
  }
  buffer.bytes_ = bytes;
  return buffer;
}

PinnedBuffer::~PinnedBuffer() {
  if (data_ != nullptr) cudaFreeHost(data_);
}

DeviceResult<PinnedBuffer> PinnedBuffer::allocate(std::size_t bytes, const char* what) {
  PinnedBuffer buffer;
  if (const int code = cudaMallocHost(&buffer.data_, std::max<std::size_t>(bytes, 1)); code != 0) {
    cudaGetLastError();
    return cuda_failure(code, fmt::format("cudaMallocHost of {} bytes for {}", bytes, what));
  }
  buffer.bytes_ = bytes;
  return buffer;
}

}  // namespace kernels
