// Waits for what another thread does.
#pragma once

#include <chrono>
#include <thread>

namespace tests {

// False: it took more than a minute.
template <class Done>
bool wait_for(Done done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace tests
