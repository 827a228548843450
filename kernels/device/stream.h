// An in-order queue of device work and points in it. Move-only. Not for: several devices; everything runs on device 0 of
// the process. Calls are made by the thread that owns the backend.
#pragma once

#include "kernels/device/error.h"

#include <cstddef>
#include <cstdint>
#include <utility>

// CUDA's own names of what cudaStream_t and cudaEvent_t point to.
struct CUstream_st;
struct CUevent_st;

namespace kernels {

using StreamHandle = CUstream_st*;

class Event;

class Stream {
 public:
  Stream() = default;
  Stream(Stream&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Stream();

  // A stream that does not wait for the legacy default stream.
  static DeviceResult<Stream> create();

  StreamHandle handle() const { return handle_; }
  // Waits until everything queued so far has finished; reports the first failure of that work.
  DeviceResult<void> synchronize() const;
  // What is queued from now on begins after a point of another stream; the host goes on.
  DeviceResult<void> wait_for(const Event& event) const;
  // Queued copies. Host memory must stay valid until the next synchronize(), and is copied concurrently when it is pinned.
  DeviceResult<void> copy_to_device(void* device, const void* host, std::size_t bytes) const;
  DeviceResult<void> copy_to_host(void* host, const void* device, std::size_t bytes) const;
  // `rows` pieces of `width` bytes: dense on the host, `pitch` bytes apart on the device.
  DeviceResult<void> copy_rows_to_device(void* device, std::size_t pitch, const void* host, std::size_t width,
                                         std::size_t rows) const;
  DeviceResult<void> copy_rows_to_host(void* host, const void* device, std::size_t pitch, std::size_t width,
                                       std::size_t rows) const;
  DeviceResult<void> fill_zero(void* device, std::size_t bytes) const;
  // Writes one value to pinned host memory when everything queued so far has finished, before what is queued later begins.
  DeviceResult<void> write_pinned(std::int32_t* pinned, std::int32_t value) const;

 private:
  StreamHandle handle_ = nullptr;
};

// A point in a stream, with a time stamp.
class Event {
 public:
  Event() = default;
  Event(Event&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Event& operator=(Event&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Event();

  static DeviceResult<Event> create();
  // Cheaper to record, and cannot say when it happened.
  static DeviceResult<Event> create_without_time();

  CUevent_st* handle() const { return handle_; }
  DeviceResult<void> record(const Stream& stream) const;
  DeviceResult<void> wait() const;
  // Whether it has happened, without waiting; a failure of the work before it counts as happened, and wait() tells it.
  bool happened() const;
  // Milliseconds from `start` to this event; both must have happened.
  DeviceResult<float> milliseconds_since(const Event& start) const;

 private:
  CUevent_st* handle_ = nullptr;
};

// On a stream of somebody else's: queues a copy between two places of the device, which begins after `after`, and records
// `done` behind it. Any thread.
DeviceResult<void> copy_behind(const Event& after, void* to, const void* from, std::size_t bytes, StreamHandle stream,
                               const Event& done);

}  // namespace kernels
