#include "engine/bench/bench.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <thread>

namespace engine {

Result<double> measure_host_copy_rate(int threads) try {
  constexpr std::size_t bytes = std::size_t{256} << 20;
  const auto count = static_cast<std::size_t>(std::max(1, threads));
  std::vector<char> from(bytes, 1), to(bytes, 0);
  double best = 0;
  for (int repeat = 0; repeat < 8; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> workers;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t first = bytes / count * i, last = i + 1 == count ? bytes : bytes / count * (i + 1);
      workers.emplace_back([&, first, last] { std::memcpy(to.data() + first, from.data() + first, last - first); });
    }
    for (std::thread& worker : workers) worker.join();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2.0 * static_cast<double>(bytes) / seconds);
  }
  return best;
} catch (const std::bad_alloc&) {
  return system_error("There is no memory for the two buffers of 256 MiB that the copy rate is measured with.");
}

}  // namespace engine
