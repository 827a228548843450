// What tells snapshots apart when one lies where another one was: views keep it to know what they were made from.
#pragma once

#include <atomic>
#include <cstdint>

namespace engine {

// A number that no other snapshot of the process has, from 1 on. Any thread.
inline std::uint64_t next_snapshot_version() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace engine
