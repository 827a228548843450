// Memory on the device, and pinned memory on the host for copies that need not be staged. Move-only, fixed size, freed at
// the end of life. Not for: sub-allocation; callers lay several arrays out in one buffer with Layout.
#pragma once

#include "kernels/device/error.h"

#include <cstddef>
#include <utility>

namespace kernels {

class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~DeviceBuffer();

  // Uninitialised memory, aligned to 256 bytes; `what` names it in the error ("weights").
  static DeviceResult<DeviceBuffer> allocate(std::size_t bytes, const char* what);

  std::size_t bytes() const { return bytes_; }
  // The address `offset` bytes in.
  template <class T = void>
  T* at(std::size_t offset = 0) const {
    return static_cast<T*>(static_cast<void*>(static_cast<std::byte*>(data_) + offset));
  }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  PinnedBuffer(PinnedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~PinnedBuffer();

  static DeviceResult<PinnedBuffer> allocate(std::size_t bytes, const char* what);

  std::size_t bytes() const { return bytes_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// Places arrays one after the other in a buffer that is allocated afterwards; every array starts at a multiple of 256
// bytes, so that vector loads of whole rows are possible wherever the row length allows them.
class Layout {
 public:
  // The offset of the next array of `bytes` bytes.
  std::size_t add(std::size_t bytes) {
    const std::size_t offset = bytes_;
    bytes_ += (bytes + 255) / 256 * 256;
    return offset;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

}  // namespace kernels
