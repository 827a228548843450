#include "kernels/device/stream.h"

#include "kernels/device/driver.h"

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <fmt/core.h>

namespace kernels {

namespace {

// The largest distance of rows that CUDA copies in one call, on every device so far.
constexpr std::size_t max_pitch = 0x7fffffff;

}  // namespace

Stream::~Stream() {
  if (handle_ != nullptr) cudaStreamDestroy(handle_);
}

DeviceResult<Stream> Stream::create() {
  Stream stream;
  if (const int code = cudaStreamCreateWithFlags(&stream.handle_, cudaStreamNonBlocking); code != 0) {
    return cuda_failure(code, "cudaStreamCreateWithFlags");
  }
  return stream;
}

DeviceResult<void> Stream::synchronize() const {
  return check_cuda(cudaStreamSynchronize(handle_), "cudaStreamSynchronize");
}

DeviceResult<void> Stream::wait_for(const Event& event) const {
  return check_cuda(cudaStreamWaitEvent(handle_, event.handle(), 0), "cudaStreamWaitEvent");
}

DeviceResult<void> Stream::copy_to_device(void* device, const void* host, std::size_t bytes) const {
  if (bytes == 0) return {};
  const int code = cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, handle_);
  if (code != 0) return cuda_failure(code, fmt::format("cudaMemcpyAsync ({} bytes, host to device)", bytes));
  return {};
}

DeviceResult<void> Stream::copy_to_host(void* host, const void* device, std::size_t bytes) const {
  if (bytes == 0) return {};
  const int code = cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, handle_);
  if (code != 0) return cuda_failure(code, fmt::format("cudaMemcpyAsync ({} bytes, device to host)", bytes));
  return {};
}

DeviceResult<void> Stream::copy_rows_to_device(void* device, std::size_t pitch, const void* host, std::size_t width,
                                               std::size_t rows) const {
  if (width == 0 || rows == 0) return {};
  if (pitch <= max_pitch) {
    const int code = cudaMemcpy2DAsync(device, pitch, host, width, width, rows, cudaMemcpyHostToDevice, handle_);
    if (code != 0)
      return cuda_failure(code, fmt::format("cudaMemcpy2DAsync ({} x {} bytes, host to device)", rows, width));
    return {};
  }
  for (std::size_t row = 0; row < rows; ++row) {
    auto done = copy_to_device(static_cast<std::byte*>(device) + row * pitch,
                               static_cast<const std::byte*>(host) + row * width, width);
    if (!done) return done;
  }
  return {};
}

DeviceResult<void> Stream::copy_rows_to_host(void* host, const void* device, std::size_t pitch, std::size_t width,
                                             std::size_t rows) const {
  if (width == 0 || rows == 0) return {};
  if (pitch <= max_pitch) {
    const int code = cudaMemcpy2DAsync(host, width, device, pitch, width, rows, cudaMemcpyDeviceToHost, handle_);
    if (code != 0)
      return cuda_failure(code, fmt::format("cudaMemcpy2DAsync ({} x {} bytes, device to host)", rows, width));
    return {};
  }
  for (std::size_t row = 0; row < rows; ++row) {
    auto done = copy_to_host(static_cast<std::byte*>(host) + row * width,
                             static_cast<const std::byte*>(device) + row * pitch, width);
    if (!done) return done;
  }
  return {};
}

DeviceResult<void> Stream::fill_zero(void* device, std::size_t bytes) const {
  if (bytes == 0) return {};
  const int code = cudaMemsetAsync(device, 0, bytes, handle_);
  if (code != 0) return cuda_failure(code, fmt::format("cudaMemsetAsync ({} bytes)", bytes));
  return {};
}

DeviceResult<void> Stream::write_pinned(std::int32_t* pinned, std::int32_t value) const {
  static const auto write = reinterpret_cast<decltype(&cuStreamWriteValue32)>(driver_function("cuStreamWriteValue32"));
  if (write == nullptr) return cuda_failure(cudaErrorNotSupported, "cuStreamWriteValue32");
  const CUresult code = write(handle_, reinterpret_cast<CUdeviceptr>(pinned), static_cast<cuuint32_t>(value), 0);
  return code == CUDA_SUCCESS ? DeviceResult<void>() : cuda_failure(static_cast<int>(code), "cuStreamWriteValue32");
}

Event::~Event() {
  if (handle_ != nullptr) cudaEventDestroy(handle_);
}

DeviceResult<Event> Event::create() {
  Event event;
  if (const int code = cudaEventCreate(&event.handle_); code != 0) return cuda_failure(code, "cudaEventCreate");
  return event;
}

DeviceResult<Event> Event::create_without_time() {
  Event event;
  const int code = cudaEventCreateWithFlags(&event.handle_, cudaEventDisableTiming);
  if (code != 0) return cuda_failure(code, "cudaEventCreateWithFlags");
  return event;
}

DeviceResult<void> Event::record(const Stream& stream) const {
  return check_cuda(cudaEventRecord(handle_, stream.handle()), "cudaEventRecord");
}

DeviceResult<void> Event::wait() const { return check_cuda(cudaEventSynchronize(handle_), "cudaEventSynchronize"); }

bool Event::happened() const { return cudaEventQuery(handle_) != cudaErrorNotReady; }

DeviceResult<void> copy_behind(const Event& after, void* to, const void* from, std::size_t bytes, StreamHandle stream,
                               const Event& done) {
  return check_cuda(cudaStreamWaitEvent(stream, after.handle(), 0), "cudaStreamWaitEvent")
      .and_then([&] {
        return check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream),
                          "cudaMemcpyAsync (device to device)");
      })
      .and_then([&] { return check_cuda(cudaEventRecord(done.handle(), stream), "cudaEventRecord"); });
}

DeviceResult<float> Event::milliseconds_since(const Event& start) const {
  float milliseconds = 0;
  if (const int code = cudaEventElapsedTime(&milliseconds, start.handle_, handle_); code != 0) {
    return cuda_failure(code, "cudaEventElapsedTime");
  }
  return milliseconds;
}

}  // namespace kernels
