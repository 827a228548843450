#include "kernels/device/copy_rate.h"

#include "kernels/device/buffer.h"
#include "kernels/device/stream.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>

namespace kernels {

namespace {

constexpr std::size_t smallest = std::size_t{64} << 20, largest = std::size_t{1} << 30;
constexpr int copies = 10;  // timed together, after two that are not

DeviceResult<double> copy_rate(const Stream& stream, void* to, const void* from, std::size_t bytes) {
  auto start = Event::create();
  auto end = Event::create();
  if (!start) return tl::unexpected(start.error());
  if (!end) return tl::unexpected(end.error());
  for (int i = -2; i < copies; ++i) {
    if (i == 0) {
      if (auto done = start->record(stream); !done) return tl::unexpected(done.error());
    }
    const int code = cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream.handle());
    if (code != 0) return cuda_failure(code, "cudaMemcpyAsync (device to device)");
  }
  if (auto done = end->record(stream); !done) return tl::unexpected(done.error());
  if (auto done = end->wait(); !done) return tl::unexpected(done.error());
  const auto milliseconds = end->milliseconds_since(*start);
  if (!milliseconds) return tl::unexpected(milliseconds.error());
  return 2.0 * static_cast<double>(bytes) * copies / (static_cast<double>(*milliseconds) / 1e3);
}

}  // namespace

DeviceResult<double> measure_copy_rate() {
  auto stream = Stream::create();
  if (!stream) return tl::unexpected(stream.error());
  std::size_t bytes = largest;
  DeviceBuffer from, to;
  for (;; bytes /= 2) {
    auto first = DeviceBuffer::allocate(bytes, "the copy's source");
    auto second = DeviceBuffer::allocate(bytes, "the copy's target");
    if (first && second) {
      from = std::move(*first);
      to = std::move(*second);
      break;
    }
    const DeviceError error = first ? second.error() : first.error();
    if (!out_of_memory(error) || bytes == smallest) return tl::unexpected(error);
  }
  if (auto filled = stream->fill_zero(from.at(), bytes); !filled) return tl::unexpected(filled.error());
  double best = 0;
  for (std::size_t size = smallest; size <= bytes; size *= 2) {
    const auto rate = copy_rate(*stream, to.at(), from.at(), size);
    if (!rate) return rate;
    best = std::max(best, *rate);
  }
  return best;
}

}  // namespace kernels
