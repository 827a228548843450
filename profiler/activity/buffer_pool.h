// A fixed number of equal buffers that go to CUPTI and come back full. Nothing is allocated after construction, so the
// two calls that CUPTI's callbacks make cost one short lock and never fail. Any thread.
#pragma once

#include "profiler/cupti/api.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace profiler {

struct FullBuffer {
  std::uint8_t* data = nullptr;
  std::size_t valid_bytes = 0;
};

class BufferPool : public BufferExchange {
 public:
  BufferPool(std::size_t count, std::size_t bytes);

  std::uint8_t* request(std::size_t& bytes) noexcept override;
  void complete(std::uint8_t* buffer, std::size_t valid_bytes) noexcept override;

  // The oldest buffer that came back; for the collector, which returns it with recycle().
  std::optional<FullBuffer> take_full() noexcept;
  void recycle(std::uint8_t* buffer) noexcept;

  // How often a request found no buffer.
  std::uint64_t refused() const;

 private:
  struct Release {
    void operator()(std::uint8_t* memory) const;
  };
  std::size_t bytes_;
  std::unique_ptr<std::uint8_t[], Release> memory_;  // pages are touched only when CUPTI fills them
  mutable std::mutex mutex_;
  std::vector<std::uint8_t*> free_;
  std::vector<FullBuffer> full_;  // a ring of as many places as there are buffers, so it never overflows
  std::size_t first_full_ = 0, full_count_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace profiler
