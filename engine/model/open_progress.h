// How far the opening of a model has come. One thread opens; any thread looks, and may cancel.
#pragma once

#include <atomic>
#include <cstdint>

namespace engine {

struct OpenProgress {
  std::atomic<std::uint64_t> bytes{0};  // of the weights, that are where the arithmetic happens
  std::atomic<std::uint64_t> total{0};  // 0: not known yet
  std::atomic<bool> cancelled{false};   // asked for; the opening ends with an error that says so
};

inline constexpr const char* opening_cancelled = "Opening the model was cancelled.";

}  // namespace engine
