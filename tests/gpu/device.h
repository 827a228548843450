// What the GPU tests share: is there a device, one stream, arrays on it.
#pragma once

#include "kernels/device/buffer.h"
#include "kernels/device/stream.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace gpu_test {

// Whether device 0 can run this program; the reason why not is printed once.
bool has_device();

// Whether the sweeps take fewer and smaller shapes: MAMBASCOPE_GPU_TESTS=small, for runs under compute-sanitizer.
bool small();

const kernels::Stream& stream();

// Fails the test case with the error's text.
template <class T>
void require(const kernels::DeviceResult<T>& result) {
  const std::string message = result ? std::string() : result.error().message;
  CAPTURE(message);
  REQUIRE(result.has_value());
}

// Waits for the stream after a launch and fails the test case if launch or kernel failed.
void finish(int launch_code);

// An array on the device with its values of the start; outputs start as NaN, so that what a kernel leaves out is seen.
template <class T>
class Array {
 public:
  explicit Array(const std::vector<T>& values) : count_(values.size()) {
    auto buffer = kernels::DeviceBuffer::allocate(values.size() * sizeof(T), "a test");
    require(buffer);
    buffer_ = std::move(*buffer);
    require(stream().copy_to_device(buffer_.at(), values.data(), values.size() * sizeof(T)));
    require(stream().synchronize());
  }
  T* data() const { return buffer_.at<T>(); }
  std::vector<T> read() const {
    std::vector<T> values(count_);
    require(stream().copy_to_host(values.data(), buffer_.at(), count_ * sizeof(T)));
    require(stream().synchronize());
    return values;
  }

 private:
  std::size_t count_;
  kernels::DeviceBuffer buffer_;
};

}  // namespace gpu_test
