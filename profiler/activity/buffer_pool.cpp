#include "profiler/activity/buffer_pool.h"

#include <cstdlib>
#include <new>

namespace profiler {

namespace {

constexpr std::size_t alignment = 4096;  // CUPTI asks for 8
constexpr std::size_t rounded(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

}  // namespace

void BufferPool::Release::operator()(std::uint8_t* memory) const { std::free(memory); }

BufferPool::BufferPool(std::size_t count, std::size_t bytes)
    : bytes_(rounded(bytes)),
      memory_(static_cast<std::uint8_t*>(std::aligned_alloc(alignment, count * rounded(bytes)))) {
  if (!memory_) throw std::bad_alloc();
  free_.reserve(count);
  full_.resize(count);
  for (std::size_t i = count; i-- > 0;) free_.push_back(memory_.get() + i * bytes_);
}

std::uint8_t* BufferPool::request(std::size_t& bytes) noexcept {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    ++refused_;
    bytes = 0;
    return nullptr;
  }
  std::uint8_t* buffer = free_.back();
  free_.pop_back();
  bytes = bytes_;
  return buffer;
}

void BufferPool::complete(std::uint8_t* buffer, std::size_t valid_bytes) noexcept {
  const std::lock_guard lock(mutex_);
  if (full_count_ == full_.size()) return;  // not one of ours
  full_[(first_full_ + full_count_++) % full_.size()] = {buffer, valid_bytes};
}

std::optional<FullBuffer> BufferPool::take_full() noexcept {
  const std::lock_guard lock(mutex_);
  if (full_count_ == 0) return std::nullopt;
  const FullBuffer oldest = full_[first_full_];
  first_full_ = (first_full_ + 1) % full_.size();
  --full_count_;
  return oldest;
}

void BufferPool::recycle(std::uint8_t* buffer) noexcept {
  const std::lock_guard lock(mutex_);
  if (free_.size() < free_.capacity()) free_.push_back(buffer);
}

std::uint64_t BufferPool::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

}  // namespace profiler
