// A 64-bit sum of bytes: tells whether they are still what was written, at a few gigabytes a second. It protects from
// accidents, not from somebody who wants two texts to have the same sum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace engine {

inline std::uint64_t digest_of(std::span<const std::byte> bytes, std::uint64_t start = 0xcbf29ce484222325U) {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;
  std::uint64_t sum = start ^ (bytes.size() * odd);
  const auto take = [&sum](std::uint64_t word) {
    sum = (sum ^ word) * odd;
    sum ^= sum >> 29U;
  };
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    take(word);
  }
  std::uint64_t last = 0;
  if (!bytes.empty()) std::memcpy(&last, bytes.data(), bytes.size());
  take(last);
  return sum;
}

}  // namespace engine
