// The one clock that every time of the program is given in: the steady clock, in nanoseconds. Any thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace profiler {

inline std::int64_t steady_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace profiler
