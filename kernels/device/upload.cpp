#include "kernels/device/upload.h"

#include "kernels/device/buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace kernels {

namespace {

constexpr std::size_t staging_bytes = std::size_t{32} << 20;  // of each buffer
constexpr std::size_t share_bytes = std::size_t{1} << 20;     // less than that is not worth a thread
constexpr std::size_t most_threads = 4;
constexpr std::size_t alignment = 256;  // pieces as near as that travel in one copy
constexpr std::size_t ahead_bytes = std::size_t{128} << 20;

struct HostCopy {
  std::byte* to = nullptr;
  const std::byte* from = nullptr;
  std::size_t bytes = 0;
};

// The `share`-th of `shares` equal parts of all bytes.
void copy_share(const std::vector<HostCopy>& copies, std::size_t total, std::size_t share, std::size_t shares) {
  const std::size_t begin = total / shares * share;
  const std::size_t end = share + 1 == shares ? total : total / shares * (share + 1);
  std::size_t at = 0;
  for (const HostCopy& copy : copies) {
    const std::size_t from = std::max(begin, at), to = std::min(end, at + copy.bytes);
    if (from < to) std::memcpy(copy.to + (from - at), copy.from + (from - at), to - from);
    at += copy.bytes;
  }
}

void copy_all(const std::vector<HostCopy>& copies, std::size_t total) {
  const std::size_t threads = std::clamp<std::size_t>(
      total / share_bytes, 1, std::min<std::size_t>(most_threads, std::max(1U, std::thread::hardware_concurrency())));
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back([&, i] { copy_share(copies, total, i, threads); });
  copy_share(copies, total, 0, threads);
}

// Whole pages of it are wanted soon; of memory that no file stands behind, this says nothing new.
void want(const std::byte* from, std::size_t bytes) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<std::uintptr_t>(from);
  const std::uintptr_t begin = address / page * page;
  madvise(reinterpret_cast<void*>(begin), address + bytes - begin, MADV_WILLNEED);
}

struct Staging {
  PinnedBuffer memory;
  Event copied;
  bool on_its_way = false;
};

class Uploading {
 public:
  Uploading(const Stream& stream, std::byte* device, const std::function<bool(std::size_t)>& go_on)
      : stream_(stream), device_(device), go_on_(go_on) {}

  DeviceResult<bool> run(std::span<const HostPiece> pieces) {
    std::size_t total = 0;
    for (const HostPiece& piece : pieces) total += piece.bytes + alignment;
    for (Staging& staging : staging_) {
      auto memory = PinnedBuffer::allocate(std::min(staging_bytes, total), "the weights on their way to the device");
      if (!memory) return tl::unexpected(memory.error());
      staging.memory = std::move(*memory);
      auto event = Event::create_without_time();
      if (!event) return tl::unexpected(event.error());
      staging.copied = std::move(*event);
    }
    std::size_t wanted = 0, wanted_bytes = 0, begun = 0;
    for (const HostPiece& piece : pieces) {
      for (; wanted < pieces.size() && wanted_bytes < begun + ahead_bytes; ++wanted) {
        want(static_cast<const std::byte*>(pieces[wanted].host), pieces[wanted].bytes);
        wanted_bytes += pieces[wanted].bytes;
      }
      begun += piece.bytes;
      const std::size_t end = first_ + used_;
      if (used_ > 0 && (piece.offset < end || piece.offset - end >= alignment)) {
        if (auto sent = send(); !sent || !*sent) return sent;
      }
      if (auto added = add(piece); !added || !*added) return added;
    }
    return send().and_then([&](bool sent) -> DeviceResult<bool> {
      if (auto done = stream_.synchronize(); !done) return tl::unexpected(done.error());
      return sent;
    });
  }

 private:
  DeviceResult<bool> add(const HostPiece& piece) {
    const auto* from = static_cast<const std::byte*>(piece.host);
    for (std::size_t done = 0; done < piece.bytes;) {
      const std::size_t offset = piece.offset + done;
      if (used_ > 0 && offset - first_ >= capacity()) {
        if (auto sent = send(); !sent || !*sent) return sent;
      }
      if (used_ == 0) first_ = offset;
      const std::size_t at = offset - first_;
      const std::size_t bytes = std::min(piece.bytes - done, capacity() - at);
      copies_.push_back({staging().memory.as<std::byte>() + at, from + done, bytes});
      copied_ += bytes;
      used_ = at + bytes;
      done += bytes;
    }
    return true;
  }

  // Fills the staging memory and starts its copy; the other one takes over.
  DeviceResult<bool> send() {
    if (used_ == 0) return true;
    if (staging().on_its_way) {
      if (auto free = staging().copied.wait(); !free) return tl::unexpected(free.error());
    }
    copy_all(copies_, copied_);
    const DeviceResult<void> sent =
        stream_.copy_to_device(device_ + first_, staging().memory.as<std::byte>(), used_).and_then([&] {
          return staging().copied.record(stream_);
        });
    if (!sent) return tl::unexpected(sent.error());
    staging().on_its_way = true;
    sent_ += copied_;
    copies_.clear();
    copied_ = used_ = 0;
    turn_ = 1 - turn_;
    if (!go_on_ || go_on_(sent_)) return true;
    if (auto done = stream_.synchronize(); !done) return tl::unexpected(done.error());
    return false;
  }

  Staging& staging() { return staging_[turn_]; }
  std::size_t capacity() { return staging().memory.bytes(); }

  const Stream& stream_;
  std::byte* device_;
  const std::function<bool(std::size_t)>& go_on_;
  std::array<Staging, 2> staging_;
  std::size_t turn_ = 0;
  std::vector<HostCopy> copies_;      // into the staging memory whose turn it is
  std::size_t first_ = 0, used_ = 0;  // the part of the device's memory that it is an image of
  std::size_t copied_ = 0, sent_ = 0;
};

}  // namespace

DeviceResult<bool> upload(const Stream& stream, std::byte* device, std::span<const HostPiece> pieces,
                          const std::function<bool(std::size_t)>& go_on) {
  return Uploading(stream, device, go_on).run(pieces);
}

}  // namespace kernels
