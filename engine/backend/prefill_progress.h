// How far the prefill of a text has come. One thread prefills; any thread looks, and may cancel.
#pragma once

#include <atomic>
#include <cstdint>

namespace engine {

struct PrefillProgress {
  std::atomic<std::int64_t> tokens{0};  // done, of each sequence
  std::atomic<bool> cancelled{false};   // asked for; the prefill ends between two pieces with an error that says so
};

inline constexpr const char* prefill_cancelled = "The prefill was cancelled.";

}  // namespace engine
