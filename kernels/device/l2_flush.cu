#include "kernels/device/l2_flush.h"

#include <cuda_runtime.h>

#include <algorithm>

namespace kernels {

namespace {

constexpr int threads = 256, blocks = 132 * 8;
constexpr std::size_t result_bytes = 256;  // before the words that are read

// The words are zeros, so nothing is ever written; the compiler cannot know, and reads them all.
__global__ void __launch_bounds__(threads) read_all(const uint4* words, std::size_t count, unsigned* result) {
  unsigned any = 0;
  for (std::size_t i = std::size_t{blockIdx.x} * threads + threadIdx.x; i < count; i += std::size_t{blocks} * threads) {
    const uint4 word = words[i];
    any |= word.x | word.y | word.z | word.w;
  }
  if (any != 0) *result = any;
}

}  // namespace

DeviceResult<L2Flush> L2Flush::create(std::size_t l2_bytes, const Stream& stream) {
  constexpr std::size_t least = std::size_t{16} << 20;
  auto buffer = DeviceBuffer::allocate(result_bytes + 4 * std::max(l2_bytes, least), "emptying the L2");
  if (!buffer) return tl::unexpected(buffer.error());
  L2Flush flush;
  flush.buffer_ = std::move(*buffer);
  if (auto done = stream.fill_zero(flush.buffer_.at(), flush.buffer_.bytes()); !done)
    return tl::unexpected(done.error());
  if (auto done = stream.synchronize(); !done) return tl::unexpected(done.error());
  return flush;
}

DeviceResult<void> L2Flush::queue(const Stream& stream) const {
  const std::size_t count = (buffer_.bytes() - result_bytes) / sizeof(uint4);
  read_all<<<blocks, threads, 0, stream.handle()>>>(buffer_.at<const uint4>(result_bytes), count,
                                                    buffer_.at<unsigned>());
  return check_cuda(cudaGetLastError(), "launch (emptying the L2)");
}

}  // namespace kernels
